using System.Diagnostics;
using ClipSegNative;
using ClipSegNative.Imaging;
using LatencyLoop;

// A loop that must answer in time: each frame is encoded over the one before and asked the same phrases, whose embeddings the segmenter remembers.
// The frames are a window that slides over one picture, handed over as a camera would: a buffer of BGRA pixels.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: LatencyLoop MODEL PICTURE [SECONDS [PHRASE...]]   (MODEL: a folder, for instance from: clipseg-native weights init)");
    return 2;
}
TimeSpan duration = TimeSpan.FromSeconds(args.Length > 2 ? double.Parse(args[2]) : 20);
string[] phrases = args.Length > 3 ? args[3..] : ["a person", "a car"];
const int WarmUpFrames = 3;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;   // the loop ends by itself, within one operation
    stop.Cancel();
};

using Segmenter segmenter = Segmenter.Load(args[0], new SegmenterOptions { ImagePrompts = false });
var camera = new SlidingCamera(ImageReader.Read(args[1]));
Console.WriteLine($"{segmenter.Device}; frames of {camera.Width} x {camera.Height}; {string.Join(", ", phrases)}");

using EncodedImage image = segmenter.Encode(camera.Next());
Segmentation[] results = [.. image.Segment(phrases)];
Histogram encode = new("encode"), ask = new("ask"), whole = new("frame");
long allocated = 0;
try
{
    long started = Stopwatch.GetTimestamp();
    for (int frame = 0; frame < WarmUpFrames || Stopwatch.GetElapsedTime(started) < duration; frame++)
    {
        Picture picture = camera.Next();
        long bytes = GC.GetAllocatedBytesForCurrentThread(), begin = Stopwatch.GetTimestamp();
        segmenter.Encode(picture, image, stop.Token);
        long encoded = Stopwatch.GetTimestamp();
        image.Segment(phrases, results, stop.Token);
        long end = Stopwatch.GetTimestamp();
        if (frame < WarmUpFrames)
        {
            started = end;
            continue;
        }
        allocated += GC.GetAllocatedBytesForCurrentThread() - bytes;
        encode.Add(Stopwatch.GetElapsedTime(begin, encoded));
        ask.Add(Stopwatch.GetElapsedTime(encoded, end));
        whole.Add(Stopwatch.GetElapsedTime(begin, end));
    }
}
catch (OperationCanceledException)
{
    Console.WriteLine("stopped");
}
foreach (Histogram histogram in new[] { encode, ask, whole }) histogram.Write(Console.Out);
Console.WriteLine($"{allocated} bytes allocated by {whole.Count} frames; best scores of the last: {string.Join(", ", results.Select(result => $"{result.Text} {result.Score:0.00}"))}");
return 0;
