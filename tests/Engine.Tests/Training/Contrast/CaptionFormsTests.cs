using ClipSegNative.Training.Contrast;

namespace ClipSegNative.Tests.Training.Contrast;

public sealed class CaptionFormsTests
{
    [Theory]
    [InlineData("a red star", "red star", "the red star")]
    [InlineData("an orange ring", "orange ring", "the orange ring")]
    [InlineData("the orange ring", "orange ring", "an orange ring")]
    [InlineData("The dog", "dog", "a dog")]
    public void Of_WithAnArticle_HasAllThree(string caption, string bare, string other)
    {
        Assert.Equal([caption, bare, other], CaptionForms.Of(caption));
        Assert.Equal(bare, CaptionForms.Meaning(caption));
    }

    [Theory]
    [InlineData("two dogs")]
    [InlineData("another")]
    [InlineData("")]
    public void Of_WithoutOne_StaysAsItIs(string caption)
    {
        Assert.Equal([caption], CaptionForms.Of(caption));
        Assert.Equal(caption, CaptionForms.Meaning(caption));
    }
}
