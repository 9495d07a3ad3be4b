using ClipSegNative.Imaging;

namespace ClipSegNative.Evaluation;

/// <summary>Predictions on disk: <c>task_id.npy</c> with probabilities, or <c>task_id.png</c>, where all that is not black was found.</summary>
/// <param name="path">The folder.</param>
sealed class PredictionFolder(string path)
{
    /// <summary>Files of networks that resize their result leave [0, 1] by rounding.</summary>
    const float Slack = 1e-3f;

    /// <summary>Null where there is no file. Of both kinds, the one with probabilities counts.</summary>
    /// <exception cref="PictureException">The file cannot be read, or its values are no probabilities.</exception>
    public Prediction? Find(string taskId)
    {
        // The id comes from a data file: it names a file of this folder or none.
        if (Path.GetFileName(taskId) != taskId) return null;
        string array = Path.Combine(path, taskId + ".npy"), picture = Path.Combine(path, taskId + ".png");
        return File.Exists(array) ? ReadArray(array) : File.Exists(picture) ? ReadPicture(picture) : null;
    }

    static Prediction ReadArray(string file)
    {
        NpyMap map = NpyReader.Read(file);
        int wrong = Array.FindIndex(map.Values, value => !(value >= -Slack && value <= 1 + Slack));
        if (wrong >= 0)
            throw new PictureException($"{file} holds {map.Values[wrong]} at [{wrong / map.Width}, {wrong % map.Width}]; probabilities from 0 to 1 are needed, not logits.");
        return new Prediction(file, map.Values, map.Width, map.Height, map.IsMask);
    }

    static Prediction ReadPicture(string file)
    {
        Picture picture = ImageReader.Read(file, new ImageReadOptions { ApplyOrientation = false });
        var found = new float[picture.Width * picture.Height];
        for (int i = 0; i < found.Length; i++)
            found[i] = picture.Pixels.Slice(i * Picture.Channels, Picture.Channels).ContainsAnyExcept((byte)0) ? 1 : 0;
        return new Prediction(file, found, picture.Width, picture.Height, IsMask: true);
    }
}
