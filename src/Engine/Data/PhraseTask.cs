namespace ClipSegNative.Data;

/// <summary>One phrase about one picture, with what it names: a record of PhraseCut's <c>refer_*.json</c>.</summary>
/// <param name="TaskId">Unique in a file.</param>
/// <param name="ImageId">The picture.</param>
/// <param name="Phrase">Never blank.</param>
/// <param name="Instances">
/// [instance][polygon] -> x, y, x, y, ... in pixels of the picture, at least two points, finite; they may lie outside and cross themselves.
/// Empty where the phrase names nothing in the picture; null where the file holds no answers (<c>refer_input_*.json</c>).
/// </param>
/// <param name="Boxes">[instance] -> x, y, width, height in pixels; empty where the file has none.</param>
/// <param name="Structure">How the phrase is built; null where the file does not say.</param>
/// <remarks>Wu et al. 2020, PhraseCut: the truth of a phrase is the union of all polygons of all instances.</remarks>
sealed record PhraseTask(string TaskId, long ImageId, string Phrase, double[][][]? Instances, double[][] Boxes, PhraseStructure? Structure);

/// <summary>The parts of a phrase.</summary>
/// <param name="Name">The category, as in "shirt"; empty where not given.</param>
/// <param name="Attributes">As in "red".</param>
/// <param name="Relations">As in ("on", "bench").</param>
/// <param name="Type">Which part the phrase was built to need: name, attribute, relation or verbose; empty where not given.</param>
sealed record PhraseStructure(string Name, string[] Attributes, (string Predicate, string Name)[] Relations, string Type);
