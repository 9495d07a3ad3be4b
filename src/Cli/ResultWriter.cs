using ClipSegNative.Imaging;

namespace ClipSegNative.Cli;

/// <summary>Writes what was found in a picture: files that appear whole or not at all, or the output stream.</summary>
sealed class ResultWriter(InferRequest request, Host host, IReadOnlyList<string> slugs, string device)
{
    float[] _probabilities = [];

    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Interrupted; the file in hand is gone again.</exception>
    public void Write(PictureJob job, Picture picture, ReadOnlySpan<Segmentation> results, Timings timings)
    {
        int pixels = picture.Width * picture.Height;
        if (_probabilities.Length < pixels) _probabilities = new float[pixels];
        var lines = new List<ResultLine>();
        LabelMapBuilder? labels = Wants(OutputKinds.Labels) ? new(picture.Width, picture.Height, request.Threshold ?? results[0].Threshold) : null;
        for (int i = 0; i < results.Length; i++)
        {
            if (!request.NeedsMasks && !Wants(OutputKinds.Heatmap)) break;
            results[i].CopyProbabilities(_probabilities.AsSpan(0, pixels));
            if (WritePictures(job.Paths, picture, results[i], i, pixels, labels) is { } mask) lines.Add(Line(job.Paths, results[i], mask, slugs[i]));
        }
        if (labels is not null) Save(job.Paths.Of(OutputKinds.Labels), labels.Build().Save);
        WriteArrays(job.Paths, picture, results, pixels);

        var line = new PictureLine(job.Input.Name, picture.Width, picture.Height, device, timings, lines);
        if (Wants(OutputKinds.Json)) Save(job.Paths.Of(OutputKinds.Json), stream => Lines.Write(stream, line with { Device = null, Milliseconds = null }));
        if (request.JsonLines) Lines.Write(host.Output, line);
    }

    public void WriteFailure(PictureJob job, string reason)
    {
        if (request.JsonLines) Lines.Write(host.Output, new FailureLine(job.Input.Name, reason));
    }

    Mask? WritePictures(ResultPaths paths, Picture picture, Segmentation result, int phrase, int pixels, LabelMapBuilder? labels)
    {
        string slug = slugs[phrase];
        (int width, int height) = (picture.Width, picture.Height);
        if (Wants(OutputKinds.Heatmap))
            Save(paths.Of(OutputKinds.Heatmap, slug), stream => Renderings.WriteHeatmap(stream, _probabilities.AsSpan(0, pixels), width, height));
        if (!request.NeedsMasks) return null;
        Mask mask = result.MaskOf(_probabilities.AsSpan(0, pixels), request.Threshold, request.MinArea ?? 0, request.Presence);
        labels?.Add(mask.Area > 0 ? _probabilities.AsSpan(0, pixels) : []);
        if (Wants(OutputKinds.Mask)) Save(paths.Of(OutputKinds.Mask, slug), mask.Save);
        if (Wants(OutputKinds.Overlay)) Save(paths.Of(OutputKinds.Overlay, slug), stream => Renderings.WriteOverlay(stream, picture, [mask], phrase));
        if (Wants(OutputKinds.Cutout)) Save(paths.Of(OutputKinds.Cutout, slug), stream => Renderings.WriteCutout(stream, picture, mask));
        return mask;
    }

    void WriteArrays(ResultPaths paths, Picture picture, ReadOnlySpan<Segmentation> results, int pixels)
    {
        Segmentation[] all = results.ToArray();
        if (Wants(OutputKinds.Npy))
        {
            Save(paths.Of(OutputKinds.Npy), stream =>
            {
                NpyWriter.WriteHeader(stream, all.Length, picture.Height, picture.Width);
                foreach (Segmentation result in all)
                {
                    result.CopyProbabilities(_probabilities.AsSpan(0, pixels));
                    NpyWriter.WriteValues(stream, _probabilities.AsSpan(0, pixels));
                }
            });
        }
        if (Wants(OutputKinds.Logits))
        {
            Save(paths.Of(OutputKinds.Logits), stream =>
            {
                NpyWriter.WriteHeader(stream, all.Length, all[0].LogitHeight, all[0].LogitWidth);
                foreach (Segmentation result in all) NpyWriter.WriteValues(stream, result.Logits);
            });
        }
    }

    ResultLine Line(ResultPaths paths, Segmentation result, Mask mask, string slug)
    {
        PixelBox box = mask.Box;
        string? file = Wants(OutputKinds.Mask) && !request.ToPipe ? paths.Of(OutputKinds.Mask, slug) : null;
        var rle = new RleLine([mask.Height, mask.Width], mask.ToRle().ToCompressedString());
        bool present = result.IsPresentAt(request.Presence);
        bool? told = result.IsCalibrated || request.Presence is not null ? present : null;
        return new ResultLine(
            result.Text, result.Score, told, mask.Area / ((double)mask.Width * mask.Height), [box.X, box.Y, box.Width, box.Height], file, rle, present ? Dropped(mask) : false);
    }

    /// <summary>A mask that was not dropped covers at least the share; one that was covers nothing.</summary>
    bool? Dropped(Mask mask) => request.MinArea is { } share ? mask.Area == 0 && share > 0 : null;

    void Save(string path, Action<Stream> write)
    {
        if (request.ToPipe)
        {
            using var buffered = new BufferedStream(new InterruptibleStream(host.Output, host.Interrupted), 1 << 16);
            write(buffered);
            buffered.Flush();
            return;
        }
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        lock (host.Writing) AtomicFile.Write(path, stream => write(new InterruptibleStream(stream, host.Interrupted)));
    }

    bool Wants(OutputKinds kind) => request.Kinds.HasFlag(kind);
}
