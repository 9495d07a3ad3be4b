using System.Globalization;

namespace ClipSegNative.Training.Contrast;

/// <summary>A caption may be said with either article or with none, since phrases come in all three; its meaning is what is left without.</summary>
static class CaptionForms
{
    static readonly string[] Articles = ["a ", "an ", "the "];

    /// <summary>Captions of one meaning are positives for each other.</summary>
    public static string Meaning(string caption) => caption[ArticleOf(caption).Length..];

    /// <summary>The caption in all its forms, itself first.</summary>
    public static IReadOnlyList<string> Of(string caption)
    {
        string article = ArticleOf(caption), bare = caption[article.Length..];
        if (article.Length == 0) return [caption];
        bool definite = article.StartsWith("the", StringComparison.OrdinalIgnoreCase);
        bool vowel = "aeiou".Contains(char.ToLower(bare.FirstOrDefault(), CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return [caption, bare, definite ? $"{(vowel ? "an" : "a")} {bare}" : $"the {bare}"];
    }

    static string ArticleOf(string caption) => Articles.FirstOrDefault(article => caption.StartsWith(article, StringComparison.OrdinalIgnoreCase), "");
}
