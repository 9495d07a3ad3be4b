using System.IO.Enumeration;

namespace ClipSegNative.Cli;

/// <summary>Turns files, folders, patterns and '-' into pictures: in the order given, and within a folder or pattern by name.</summary>
sealed class PictureInputs
{
    const string AnyDepth = "**";

    static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".bmp"];
    static readonly char[] Wildcards = ['*', '?'];
    static readonly bool IgnoreCase = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS();

    /// <summary>An unreadable folder is told of, not passed over.</summary>
    static readonly EnumerationOptions Listing = new() { IgnoreInaccessible = false };

    readonly List<PictureInput> _found = [];
    readonly bool _recursive;

    PictureInputs(bool recursive) => _recursive = recursive;

    /// <summary>At least one picture; that a file is not there is found out when it is read.</summary>
    /// <exception cref="UsageException">Folders and patterns hold no picture, or standard input is named twice.</exception>
    public static IReadOnlyList<PictureInput> Expand(IReadOnlyList<string> arguments, bool recursive)
    {
        if (arguments.Count(argument => argument == PictureInput.Pipe) > 1) throw new UsageException("standard input ('-') can be read only once.");
        var inputs = new PictureInputs(recursive);
        foreach (string argument in arguments) inputs.Add(argument);
        if (inputs._found.TrueForAll(input => input.Error is not null)) throw new UsageException($"there is nothing to do: {inputs._found[0].Error}");
        return [.. inputs._found.DistinctBy(input => input.Path is null ? input.Name : Path.GetFullPath(input.Path))];
    }

    void Add(string argument)
    {
        if (argument == PictureInput.Pipe) _found.Add(new PictureInput(argument, Path: null));
        else if (Directory.Exists(argument)) AddMatches(argument, argument, _recursive ? [AnyDepth, "*"] : ["*"]);
        else if (!File.Exists(argument) && argument.IndexOfAny(Wildcards) >= 0) AddPattern(argument);
        else _found.Add(new PictureInput(argument, argument));
    }

    void AddPattern(string pattern)
    {
        string[] parts = pattern.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
        int plain = Array.FindIndex(parts, part => part.IndexOfAny(Wildcards) >= 0);
        string root = string.Join(Path.DirectorySeparatorChar, parts[..plain]);
        if (plain == 1 && root.Length == 0) root = Path.DirectorySeparatorChar.ToString();
        parts = parts[plain..];
        if (parts[^1] == AnyDepth) parts = [.. parts, "*"];
        else if (_recursive) parts = [.. parts[..^1], AnyDepth, parts[^1]];
        AddMatches(pattern, root, parts);
    }

    void AddMatches(string argument, string root, string[] parts)
    {
        var matches = new List<PictureInput>();
        try
        {
            Match(root, below: "", parts, matches);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _found.Add(new PictureInput(argument, Path: null, Error: $"{argument} cannot be listed: {error.Message}"));
        }
        if (matches.Count == 0 && _found.TrueForAll(input => input.Name != argument))
            _found.Add(new PictureInput(argument, Path: null, Error: $"{argument} holds no picture ({string.Join(", ", Extensions)})."));
        _found.AddRange(matches.OrderBy(match => match.Name, StringComparer.Ordinal));
    }

    static void Match(string root, string below, ReadOnlySpan<string> parts, List<PictureInput> matches)
    {
        string folder = Path.Combine(root, below), part = parts[0];
        var directory = new DirectoryInfo(folder.Length == 0 ? "." : folder);
        if (!directory.Exists) return;
        if (parts.Length == 1)
        {
            foreach (FileInfo file in directory.EnumerateFiles("*", Listing))
                if (IsWanted(file.Name, part)) matches.Add(new PictureInput(Path.Combine(folder, file.Name), Path.Combine(folder, file.Name), below));
            return;
        }
        bool anyDepth = part == AnyDepth;
        if (anyDepth) Match(root, below, parts[1..], matches);
        foreach (DirectoryInfo inner in directory.EnumerateDirectories("*", Listing))
        {
            // A link may lead back up; one that is named is followed, one that is only come across is not.
            if (anyDepth ? inner.LinkTarget is null : Matches(part, inner.Name))
                Match(root, Path.Combine(below, inner.Name), anyDepth ? parts : parts[1..], matches);
        }
    }

    /// <summary>A pattern that spells its extension out may name any file; else what looks like a picture counts. Results of earlier runs do not.</summary>
    static bool IsWanted(string name, string pattern)
    {
        if (!Matches(pattern, name) || ResultPaths.IsResult(name) && !ResultPaths.IsResult(pattern)) return false;
        string extension = Path.GetExtension(pattern);
        return extension.Length > 1 && extension.IndexOfAny(Wildcards) < 0 || Extensions.Contains(Path.GetExtension(name).ToLowerInvariant());
    }

    static bool Matches(string pattern, string name) => FileSystemName.MatchesSimpleExpression(pattern, name, IgnoreCase);
}
