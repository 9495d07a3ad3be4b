namespace ClipSegNative.Data.Scenes;

/// <summary>A scene as it is seen at one size: which object each pixel shows.</summary>
sealed class SceneView
{
    /// <summary>An object of which less than this share is left visible makes its scene unfit.</summary>
    const double LeastVisible = 0.6;

    readonly byte[] _map;
    readonly int[] _counts;

    public SceneView(Scene scene, byte[] map, int side)
    {
        (Scene, _map, Side) = (scene, map, side);
        _counts = new int[scene.Objects.Count];
        foreach (byte thing in map) if (thing != SceneRenderer.Nothing) _counts[thing]++;
    }

    public Scene Scene { get; }

    public int Side { get; }

    public IReadOnlyList<SceneObject> Objects => Scene.Objects;

    /// <summary>Every object is seen well enough to be asked for.</summary>
    public bool IsFit => Objects.Select((thing, i) => _counts[i] >= LeastVisible * Math.PI * thing.Radius * thing.Radius * Side * Side).All(fit => fit);

    public int VisiblePixels(int thing) => _counts[thing];

    public IReadOnlyList<int[]> Polygons(int thing) => MaskPolygons.Of((x, y) => _map[y * Side + x] == thing, Side, Side);

    /// <summary>x, y, width, height of the visible part, in pixels.</summary>
    public int[] Box(int thing)
    {
        (int left, int top, int right, int bottom) = (Side, Side, -1, -1);
        for (int i = 0; i < _map.Length; i++)
        {
            if (_map[i] != thing) continue;
            (left, right) = (Math.Min(left, i % Side), Math.Max(right, i % Side));
            (top, bottom) = (Math.Min(top, i / Side), Math.Max(bottom, i / Side));
        }
        return [left, top, right - left + 1, bottom - top + 1];
    }
}
