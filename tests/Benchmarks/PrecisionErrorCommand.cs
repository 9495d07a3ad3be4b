using ClipSegNative.Backends.Cpu;
using ClipSegNative.Data;
using ClipSegNative.Evaluation;
using ClipSegNative.Imaging;
using ClipSegNative.Models.ClipSeg;
using ClipSegNative.Text;

namespace ClipSegNative.Benchmarks;

/// <summary>
/// What each precision costs in accuracy: masks of a full-size random model on photos against those of fp32, and the default model's IoU on annotated scenes.
/// A precision that the processor lacks is computed by vectors, with the same rounding of operands.
/// </summary>
static class PrecisionErrorCommand
{
    static readonly string[] Phrases = ["a dog", "the sky", "a person in a red coat"];

    /// <param name="arguments">photos FOLDER [precision ...], or scenes FOLDER [precision ...].</param>
    public static void Run(string[] arguments)
    {
        Precision[] precisions = [.. Precisions.OfCpu.Where(precision => arguments.Length < 3 || arguments.AsSpan(2).Contains(precision.Name()))];
        if (arguments[0] == "photos") Photos(arguments[1], precisions);
        else Scenes(arguments[1], precisions);
    }

    static SegmenterOptions In(Precision precision) => new() { Precision = precision, ImagePrompts = false, EmulatePrecision = !IsHere(precision) };

    static bool IsHere(Precision precision)
    {
        using CpuArithmetic arithmetic = CpuArithmetic.Choose(precision, CpuInstructionSets.Best, pages: null, out _);
        return arithmetic.Precision == precision;
    }

    static void Photos(string folder, Precision[] precisions)
    {
        string model = Directory.CreateTempSubdirectory("clipseg-precision").FullName;
        string[] photos = [.. Directory.EnumerateFiles(folder).Where(file => Path.GetExtension(file) is ".jpg" or ".png").Order(StringComparer.Ordinal)];
        try
        {
            ClipSegConfig config = ClipSegConfig.Presets["clipseg-rd64-refined"];
            RandomWeights.Write(model, config, seed: 0);
            ClipVocabulary.WriteByteLevel(model, config.Text.VocabularySize);
            using Segmenter exact = Segmenter.Load(model, In(Precision.Fp32));
            float[][] expected = [.. photos.SelectMany(photo => Logits(exact, photo))];
            Console.WriteLine($"{photos.Length} photos, {Phrases.Length} phrases each; standard deviation of the logits in a map: mean {expected.Average(Deviation):F2}, least {expected.Min(Deviation):F2}; "
                + $"between phrases: correlation {photos.Select((_, i) => Correlation(expected[i * Phrases.Length], expected[i * Phrases.Length + 1])).Average():F2}");
            Console.WriteLine("| precision | IoU, mean | least | worst logit, of the map's deviation |\n| --- | --- | --- | --- |");
            foreach (Precision precision in precisions.Where(precision => precision != Precision.Fp32))
            {
                using Segmenter segmenter = Segmenter.Load(model, In(precision));
                var overlaps = new List<double>();
                double worst = 0;
                int at = 0;
                foreach (float[] logits in photos.SelectMany(photo => Logits(segmenter, photo)))
                {
                    float[] reference = expected[at++];
                    overlaps.Add(Overlap(reference, logits));
                    worst = Math.Max(worst, reference.Zip(logits, (a, b) => Math.Abs((double)a - b)).Max() / Deviation(reference));
                }
                Console.WriteLine($"| {precision.Name()}{(IsHere(precision) ? "" : ", by vectors")} | {overlaps.Average():F4} | {overlaps.Min():F4} | {worst:F3} |");
            }
        }
        finally { Directory.Delete(model, recursive: true); }
    }

    static IEnumerable<float[]> Logits(Segmenter segmenter, string photo)
    {
        using EncodedImage image = segmenter.Encode(ImageReader.Read(photo));
        return [.. image.Segment(Phrases).Select(result => result.Logits.ToArray())];
    }

    /// <summary>Of the pixels above the median of the reference: half of the map, so that the masks have an edge wherever there is any spread.</summary>
    static double Overlap(float[] reference, float[] logits)
    {
        float median = reference.Order().ElementAt(reference.Length / 2);
        int both = 0, either = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            bool first = reference[i] > median, second = logits[i] > median;
            both += first && second ? 1 : 0;
            either += first || second ? 1 : 0;
        }
        return both / (double)either;
    }

    static double Deviation(float[] values)
    {
        double mean = values.Average(value => (double)value);
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    static double Correlation(float[] a, float[] b)
    {
        double meanA = a.Average(value => (double)value), meanB = b.Average(value => (double)value);
        return a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Average() / (Deviation(a) * Deviation(b));
    }

    /// <param name="folder">Of <c>data scenes</c>; its seen and unseen combinations are asked for.</param>
    /// <param name="precisions">fp32 among them.</param>
    static void Scenes(string folder, Precision[] precisions)
    {
        Console.WriteLine("| default model | mean IoU | points lost | of masks above 0.5 |\n| --- | --- | --- | --- |");
        double exact = 0;
        foreach (Precision precision in precisions)
        {
            using Segmenter segmenter = Segmenter.LoadDefault(In(precision));
            var pictures = new PictureFolder(Path.Combine(folder, "images"));
            var evaluator = new Evaluator(EvaluationProtocol.PhraseCut, segmenter.NewResult().Threshold, leastShare: 0);
            string? current = null;
            EncodedImage? image = null;
            foreach (string file in Directory.EnumerateFiles(folder, "refer_*seen.json").Order(StringComparer.Ordinal))
            {
                foreach (PhraseTask task in ReferFile.Read(file, new DataProblems()))
                {
                    string path = pictures.Find(task.ImageId)!;
                    if (path != current)
                    {
                        image?.Dispose();
                        image = segmenter.Encode(ImageReader.Read(current = path));
                    }
                    Segmentation found = image!.Segment(task.Phrase)[0];
                    evaluator.Add(task, found.Width, found.Height,
                        () => new Prediction(path, found.Probabilities(), found.Width, found.Height, IsMask: false) { IsAbsent = !found.IsPresent });
                }
            }
            image?.Dispose();
            double iou = evaluator.Official.MeanIoU;
            if (precision == Precision.Fp32) exact = iou;
            Console.WriteLine($"| {precision.Name()}{(IsHere(precision) ? "" : ", by vectors")}, {evaluator.Official.Tasks} phrases | {100 * iou:F2} | {100 * (exact - iou):F2} | {100 * evaluator.Official.Precision(0):F2} |");
        }
    }
}
