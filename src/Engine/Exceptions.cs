namespace ClipSegNative;

/// <summary>A model folder or weight file cannot be used. The message is one sentence that names the file, what is wrong and what to do.</summary>
public sealed class ModelFileException : Exception
{
    /// <summary>A model file cannot be used.</summary>
    /// <param name="message">One sentence that names the file, what is wrong and what to do.</param>
    /// <param name="inner">What was found underneath, if anything was.</param>
    public ModelFileException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>A picture cannot be read or written. The message is one sentence that names the file and what is wrong.</summary>
public sealed class PictureException : Exception
{
    /// <summary>A picture cannot be used.</summary>
    /// <param name="message">One sentence that names the picture and what is wrong.</param>
    /// <param name="inner">What was found underneath, if anything was.</param>
    public PictureException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>Training or evaluation data cannot be used. The message is one line that names the file, the record and what is wrong.</summary>
public sealed class DataFileException : Exception
{
    /// <summary>Data cannot be used.</summary>
    /// <param name="message">One line that names the file, the record or picture, and what is wrong.</param>
    /// <param name="inner">What was found underneath, if anything was.</param>
    public DataFileException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The device that was asked for cannot be used. The message says why and what to do.</summary>
public sealed class DeviceException : Exception
{
    /// <summary>A device cannot be used.</summary>
    /// <param name="message">One sentence: which device, why not, what to do.</param>
    /// <param name="inner">What was found underneath, if anything was.</param>
    public DeviceException(string message, Exception? inner = null) : base(message, inner) { }
}
