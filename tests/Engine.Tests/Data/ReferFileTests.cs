using System.Text;
using ClipSegNative.Data;
using ClipSegNative.Tests.Imaging;

namespace ClipSegNative.Tests.Data;

public sealed class ReferFileTests : IDisposable
{
    const string Good = """{"task_id":"1__2","image_id":1,"phrase":"cat","Polygons":[[[[0,0],[4,0],[4,4]]]]}""";

    readonly TemporaryFolder _folder = new();
    readonly DataProblems _problems = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_WholeRecord_GivesEveryField()
    {
        PhraseTask task = Assert.Single(Read("""
            [{"task_id": "30__7,8", "image_id": 30, "ann_ids": [7, 8], "instance_boxes": [[1, 2, 3.5, 4], [5, 6, 7, 8]],
              "Polygons": [[[[1.25, 2], [3, -4e1], [5, 6]], [[7, 8], [9, 10]]], [[[0, 0], [1, 0], [1, 1]]]], "phrase": "r\u00e9d \"shirt\"",
              "phrase_structure": {"name": "shirt", "attributes": ["red"], "relation_ids": [3], "relation_descriptions": [["on", "man"]], "type": "relation"}}]
            """));
        Assert.Equal(("30__7,8", 30L, "réd \"shirt\""), (task.TaskId, task.ImageId, task.Phrase));
        Assert.Equal([[[1.25, 2, 3, -40, 5, 6], [7, 8, 9, 10]], [[0, 0, 1, 0, 1, 1]]], task.Instances);
        Assert.Equal([[1, 2, 3.5, 4], [5, 6, 7, 8]], task.Boxes);
        Assert.Equal(("shirt", "relation"), (task.Structure!.Name, task.Structure.Type));
        Assert.Equal(["red"], task.Structure.Attributes);
        Assert.Equal([("on", "man")], task.Structure.Relations);
        Assert.Equal(0, _problems.Total);
    }

    [Fact]
    public void Read_NoPolygons_TellsNothingThereFromNoAnswer()
    {
        PhraseTask[] tasks = Read("""
            [{"task_id":1,"image_id":"5","phrase":"cat","Polygons":[]},{"task_id":2,"image_id":5,"phrase":"cat"},{"task_id":3,"image_id":5,"phrase":"cat","Polygons":[[]]}]
            """);
        Assert.Equal([5L, 5L, 5L], tasks.Select(task => task.ImageId));
        Assert.Empty(tasks[0].Instances!);
        Assert.Null(tasks[1].Instances);
        Assert.Empty(Assert.Single(tasks[2].Instances!));
        Assert.Equal(0, _problems.Total);
    }

    public static TheoryData<string, string> BrokenRecords => new()
    {
        { """7""", "record 2 is 7, not an object" },
        { """{}""", "record 2 has no task_id" },
        { """{"task_id":[],"image_id":1,"phrase":"a"}""", "record 2 has no task_id" },
        { """{"task_id":"b","phrase":"a"}""", "task b has no image_id" },
        { """{"task_id":"b","image_id":1.5,"phrase":"a"}""", "task b has image_id 1.5, not a whole number" },
        { """{"task_id":"b","image_id":"x","phrase":"a"}""", "task b has image_id x, not a whole number" },
        { """{"task_id":"b","image_id":1}""", "task b has no phrase" },
        { """{"task_id":"b","image_id":1,"phrase":" "}""", "task b has no phrase" },
        { """{"task_id":"b","image_id":1,"phrase":["a"]}""", """task b has ["a"] where a text belongs""" },
        { """{"task_id":"b","image_id":1,"phrase":"\ud800"}""", "task b is not valid JSON" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":{}}""", "task b has Polygons that are not lists" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[1]}""", "task b has Polygons that are not lists" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[1]]}""", "task b has a polygon that is not a list of points" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[1,2]]]}""", "task b has a point that is not [x, y]" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[[1,2,3]]]]}""", "task b has a point that is not [x, y]" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[[1,"2"]]]]}""", "task b has the coordinate \"2\", not a number of pixels" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[[1,1e300],[1,2]]]]}""", "task b has the coordinate 1e300, not a number of pixels" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[[1,9e999],[1,2]]]]}""", "task b has the coordinate 9e999, not a number of pixels" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[[1,NaN],[1,2]]]]}""", "record 2 is not valid JSON" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[]]]}""", "task b has an instance without a polygon of two points or more" },
        { """{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[[[0,0],[1,1]]],[[[5,5]],[]]]}""", "task b has an instance without a polygon of two points or more" },
        { """{"task_id":"b","image_id":1,"phrase":"a","instance_boxes":[[1,2,3]]}""", "task b has a box that is not [x, y, width, height]" },
        { """{"task_id":"b","image_id":1,"phrase":"a","phrase_structure":[]}""", "task b is [], not an object" },
        { """{"task_id":"b","image_id":1,"phrase":"a","phrase_structure":{"relation_descriptions":[["on"]]}}""", "task b has a relation that is not [predicate, name]" },
        { """{"task_id":"b" "image_id":1}""", "record 2 is not valid JSON" },
        { $$"""{"task_id":"b","junk":{{new string('[', 5000)}}{{new string(']', 5000)}}}""", "record 2 is not valid JSON" },
        { """{"task_id":"1__2","image_id":1,"phrase":"a"}""", "task 1__2 stands there already" },
        { """{"task_id":"b\nc","image_id":1}""", "task b c has no phrase" },
    };

    [Theory, MemberData(nameof(BrokenRecords))]
    public void Read_BrokenRecord_IsOneLineAndTheOthersStay(string record, string problem)
    {
        string text = $"[{Good},{record},{Good.Replace("1__2", "3", StringComparison.Ordinal)}]";
        Assert.Equal(["1__2", "3"], Read(text).Select(task => task.TaskId));
        string line = Assert.Single(_problems.Lines);
        Assert.StartsWith($"{_folder.File("refer.json")}: {problem}", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        Assert.Equal(1, _problems.Total);
        Assert.Equal(line, Assert.Throws<DataFileException>(() => Read(text, new DataProblems(strict: true))).Message);
    }

    [Theory]
    [InlineData("", 0, "does not begin with a JSON list")]
    [InlineData("{}", 0, "does not begin with a JSON list")]
    [InlineData("\"[", 0, "does not begin with a JSON list")]
    [InlineData("[", 0, "ends within record 1")]
    [InlineData("[" + Good, 0, "ends within record 1")]
    [InlineData("[" + Good + ",", 1, "ends within record 2")]
    [InlineData("[" + Good + ",{\"task_id\":\"b]", 1, "ends within record 2")]
    [InlineData("[" + Good + "] []", 1, "goes on after the end of its list")]
    public void Read_BrokenFile_KeepsWhatCameBefore(string text, int tasks, string problem)
    {
        Assert.Equal(tasks, Read(text).Length);
        Assert.Contains(problem, Assert.Single(_problems.Lines), StringComparison.Ordinal);
        Assert.Equal(1, _problems.Count(DataProblem.BrokenFile));
        Assert.Throws<DataFileException>(() => Read(text, new DataProblems(strict: true)));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\uFEFF [ ] \r\n")]
    public void Read_EmptyList_GivesNothing(string text)
    {
        Assert.Empty(Read(text));
        Assert.Equal(0, _problems.Total);
    }

    [Theory]
    [InlineData("[]", 0)]
    [InlineData("[[5,5]]", 1)]
    public void Read_PolygonOfLessThanTwoPoints_IsLeftOutOfItsTask(string polygon, int points)
    {
        string text = $$"""[{"task_id":"b","image_id":1,"phrase":"a","Polygons":[[{{polygon}},[[1,2],[3,4]]]]}]""";
        Assert.Equal([[[1, 2, 3, 4]]], Assert.Single(Read(text)).Instances!);
        Assert.EndsWith($"task b has a polygon of {points} points.", Assert.Single(_problems.Lines), StringComparison.Ordinal);
        Assert.Equal(1, _problems.Count(DataProblem.BrokenPolygon));
    }

    [Fact]
    public void Read_IdOfABrokenRecord_MayComeAgain()
    {
        Assert.Single(Read($$"""[{"task_id":"1__2"},{{Good}}]"""));
        Assert.Equal((1, 0), (_problems.Count(DataProblem.BrokenRecord), _problems.Count(DataProblem.DuplicateId)));
    }

    [Fact]
    public void Read_RecordsLongerThanTheBuffer_AreWhole()
    {
        string text = $"[{string.Join(",\n", Enumerable.Range(0, 60).Select(i => DataFixtures.LongRecord(i, points: 2 + 17 * i * i)))}]";
        PhraseTask[] tasks = Read(text);
        Assert.Equal(60, tasks.Length);
        Assert.All(tasks, (task, i) => Assert.Equal(2 + 17 * i * i, task.Instances![0].Sum(polygon => polygon.Length / 2)));
    }

    [Fact]
    public void Read_RecordWithoutEnd_StopsAtTheLimit()
    {
        Assert.Empty(Read($"[\"{new string('x', 40 << 20)}\"]"));
        Assert.Contains("more than 16 MB in record 1", Assert.Single(_problems.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MissingFile_IsNamed()
    {
        string path = _folder.File("none.json");
        Assert.StartsWith($"{path}: cannot be read", Assert.Throws<DataFileException>(() => ReferFile.Read(path, _problems).Count()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MutatedFile_NeverFailsOtherwiseThanDocumented()
    {
        byte[] valid = Encoding.UTF8.GetBytes($"[{Good}, {DataFixtures.LongRecord(5, points: 6)}]");
        ReadOnlySpan<byte> telling = "[]{},:\"\\0e-. nN\xff"u8;
        var random = new Random(7);
        int lenient = 0;
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = [.. valid];
            for (int change = random.Next(1, 5); change > 0; change--)
            {
                int at = random.Next(bytes.Length);
                switch (random.Next(4))
                {
                    case 0: bytes[at] = telling[random.Next(telling.Length)]; break;
                    case 1: bytes[at] = (byte)random.Next(256); break;
                    case 2: bytes = bytes[..at]; break;
                    default: bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..], .. bytes[at..]]; break;
                }
                if (bytes.Length == 0) break;
            }
            string path = _folder.File("mutated.json");
            File.WriteAllBytes(path, bytes);
            lenient += ReferFile.Read(path, _problems).Count();
            try
            {
                _ = ReferFile.Read(path, new DataProblems(strict: true)).Count();
            }
            catch (DataFileException)
            {
            }
        }
        Assert.InRange(lenient, 1000, 4000);
        Assert.InRange(_problems.Total, 1000, 10_000);
    }

    [Fact]
    public void Read_PhotosWithPhrases_HasNoProblem()
    {
        string folder = TestData.ThirdParty("coco-phrases");
        int[] tasks = [.. new[] { "train", "val", "test" }.Select(split => ReferFile.Read(Path.Combine(folder, $"refer_{split}.json"), _problems).Count())];
        Assert.Equal([389, 72, 90], tasks);
        Assert.Equal(0, _problems.Total);
    }

    PhraseTask[] Read(string text, DataProblems? problems = null)
    {
        string path = _folder.File("refer.json");
        File.WriteAllText(path, text);
        return [.. ReferFile.Read(path, problems ?? _problems)];
    }
}
