using System.Globalization;

namespace ClipSegNative.Cli.Study;

enum Verdict
{
    /// <summary>The effect is there, in the direction that was stated.</summary>
    Confirmed,

    /// <summary>The effect is there, in the other direction.</summary>
    Opposite,

    /// <summary>Too small to matter, or within what chance gives.</summary>
    NotConfirmed,
}

/// <summary>A statement that some difference is positive, with the differences that were measured.</summary>
/// <param name="Statement">What is subtracted from what, for the report.</param>
/// <param name="Differences">One a pair of runs that are alike in all else.</param>
/// <param name="Least">A smaller mean is no effect worth the name.</param>
sealed record Claim(string Statement, Spread Differences, double Least = Claim.LeastIou)
{
    public const double LeastIou = 0.01;

    /// <summary>About a 95 % interval for a normal mean.</summary>
    const double StandardErrors = 2;

    public const string Rule =
        "A difference counts as an effect where its mean over pairs of runs that are alike in all else is at least 0.010 (unless said otherwise) and more than two "
        + "standard errors from 0; at least two pairs are needed. ± is the standard deviation over the pairs.";

    public Verdict Verdict => Differences.Count < 2 || !(Math.Abs(Differences.Mean) >= Least) || Math.Abs(Differences.Mean) <= StandardErrors * Differences.StandardError
        ? Verdict.NotConfirmed
        : Differences.Mean > 0 ? Verdict.Confirmed : Verdict.Opposite;

    public override string ToString()
    {
        string verdict = Verdict switch
        {
            Verdict.Confirmed => "confirmed",
            Verdict.Opposite => "the opposite was measured",
            _ => Differences.Count < 2 ? "not to be told from so few runs" : "not confirmed",
        };
        string sign = Differences.Mean >= 0 ? "+" : "", least = Least == LeastIou ? "" : string.Create(CultureInfo.InvariantCulture, $", at least {Least:0.00} asked for");
        return $"{Statement}: {(Differences.Count == 0 ? "not measured" : $"{sign}{Differences}")} ({Differences.Count} {(Differences.Count == 1 ? "pair" : "pairs")}{least}): **{verdict}**";
    }
}

/// <summary>A finding of the original study, and what was measured about it.</summary>
/// <param name="Title">What that study found.</param>
/// <param name="Claims">Each with its own verdict; those that nothing was measured about are not among them.</param>
sealed record Finding(string Title, IReadOnlyList<Claim> Claims)
{
    public string Verdict
    {
        get
        {
            int confirmed = Claims.Count(claim => claim.Verdict == Study.Verdict.Confirmed), opposite = Claims.Count(claim => claim.Verdict == Study.Verdict.Opposite);
            return Claims.Count == 0 ? "Nothing was measured about it."
                : confirmed == Claims.Count ? "Confirmed here, by every measure."
                : confirmed > 0 ? $"Confirmed here by {confirmed} of {Claims.Count} measures{(opposite > 0 ? $", the opposite by {opposite}" : "")}."
                : opposite > 0 ? $"Not confirmed here: {opposite} of {Claims.Count} measures say the opposite."
                : "Not confirmed here.";
        }
    }
}
