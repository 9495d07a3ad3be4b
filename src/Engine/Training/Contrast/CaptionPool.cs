using ClipSegNative.Data;
using ClipSegNative.Text;

namespace ClipSegNative.Training.Contrast;

/// <summary>Captions by number, each with the tokens of its forms; equal numbers are equal meanings.</summary>
/// <param name="tokenizer">Of the model.</param>
/// <param name="context">The most ids of one.</param>
sealed class CaptionPool(ClipTokenizer tokenizer, int context)
{
    readonly Dictionary<string, int> _numbers = [];
    readonly List<int[][]> _forms = [];

    public int NumberOf(string caption)
    {
        string meaning = CaptionForms.Meaning(caption);
        if (_numbers.TryGetValue(meaning, out int number)) return number;
        _forms.Add([.. CaptionForms.Of(caption).Select(form => tokenizer.Encode(form, context).Ids)]);
        return _numbers[meaning] = _forms.Count - 1;
    }

    /// <summary>Token ids of a caption in one of its forms.</summary>
    public int[] Draw(int number, ref SampleRandom random) => _forms[number][random.Below(_forms[number].Length)];

    /// <summary>The most ids that any form of these has.</summary>
    public int Longest(IEnumerable<int> numbers) => numbers.SelectMany(number => _forms[number]).Max(ids => ids.Length);
}
