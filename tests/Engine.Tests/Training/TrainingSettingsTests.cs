using ClipSegNative.Training;

namespace ClipSegNative.Tests.Training;

public class TrainingSettingsTests
{
    static readonly TrainingSettings Fine = new() { Data = "refer.json", Clip = "clip" };

    public static TheoryData<string, string> Refusals => new()
    {
        { "--data", Refusal(Fine with { Data = "" }) },
        { "--clip", Refusal(Fine with { Clip = "" }) },
        { "--decoder", Refusal(Fine with { Decoder = "unet" }) },
        { "--loss", Refusal(Fine with { Loss = "bce+mse" }) },
        { "--loss", Refusal(Fine with { Loss = "dice+dice" }) },
        { "--loss", Refusal(Fine with { Loss = "" }) },
        { "--schedule", Refusal(Fine with { Schedule = "step" }) },
        { "--crop", Refusal(Fine with { Crop = "centre" }) },
        { "--templates", Refusal(Fine with { Templates = "all" }) },
        { "--steps", Refusal(Fine with { Steps = -1 }) },
        { "--epochs", Refusal(Fine with { Epochs = 0 }) },
        { "--batch", Refusal(Fine with { Batch = 0 }) },
        { "--learning-rate", Refusal(Fine with { LearningRate = 0 }) },
        { "--min-learning-rate", Refusal(Fine with { LearningRate = 1e-5 }) },
        { "--negatives", Refusal(Fine with { Negatives = 1.5 }) },
        { "--patience", Refusal(Fine with { Patience = 3 }) },
        { "--precision", Refusal(Fine with { Device = "cuda", Precision = "int8" }) },
        { "--precision", Refusal(Fine with { Precision = "bf16" }) },
        { "--threads", Refusal(Fine with { Threads = 0 }) },
    };

    [Theory, MemberData(nameof(Refusals))]
    public void Check_ValueWithoutSense_IsNamedInOneSentence(string option, string refusal)
    {
        Assert.StartsWith(option + " must be ", refusal, StringComparison.Ordinal);
        Assert.EndsWith(".", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_Defaults_AreFine() => Fine.Check();

    [Theory, InlineData("fp32", Precision.Fp32), InlineData("tf32", Precision.Tf32), InlineData("bf16", Precision.Bf16), InlineData("fp16", Precision.Fp16)]
    public void Check_PrecisionsOfCuda_AreFine(string name, Precision precision)
    {
        TrainingSettings settings = Fine with { Device = "cuda:1", Precision = name };
        settings.Check();
        Assert.Equal(precision, settings.Arithmetic);
    }

    [Fact]
    public void Losses_Sum_WeighsEachTermOne()
    {
        var losses = (Fine with { Loss = "bce+dice" }).Losses;
        Assert.Equal((1f, 1f, 0f, 0f), (losses.CrossEntropy, losses.Dice, losses.Focal, losses.Tversky));
    }

    static string Refusal(TrainingSettings settings) => Assert.Throws<TrainingException>(settings.Check).Message;
}
