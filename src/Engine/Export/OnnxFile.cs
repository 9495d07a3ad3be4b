using Google.Protobuf;

namespace ClipSegNative.Export;

/// <summary>Writes a graph as an ONNX file: protocol buffers, field numbers of onnx.proto, format version 8.</summary>
/// <remarks>
/// Of the schema only what the graphs use, so the fields are written one by one: generated classes would hold all weights in memory. A message's length stands
/// before it, so everything but the weights is written to memory first, and theirs is known beforehand.
/// </remarks>
static class OnnxFile
{
    const long FormatVersion = 8;

    /// <summary>Protocol buffers end at 2 GiB.</summary>
    const long Largest = int.MaxValue;

    /// <exception cref="ModelFileException">The file would be larger than the format allows.</exception>
    public static void Write(string path, OnnxGraph graph, string producerVersion, CancellationToken cancellation)
    {
        byte[] model = Message(output =>
        {
            WriteInteger(output, 1, FormatVersion);
            WriteText(output, 2, "clipseg-native");
            WriteText(output, 3, producerVersion);
            WriteMessage(output, 8, opset => WriteInteger(opset, 2, OnnxGraph.OperatorSet));
        });
        byte[] body = Message(output =>
        {
            foreach (OnnxNode node in graph.Nodes) WriteMessage(output, 1, message => WriteNode(message, node));
            WriteText(output, 2, graph.Name);
            foreach (OnnxValue value in graph.Inputs) WriteMessage(output, 11, message => WriteValue(message, value));
            foreach (OnnxValue value in graph.Outputs) WriteMessage(output, 12, message => WriteValue(message, value));
        });
        OnnxTensor[] tensors = [.. graph.Tensors];
        byte[][] headers = [.. tensors.Select(Header)];
        long weights = tensors.Zip(headers, Length).Sum(length => 1 + CodedOutputStream.ComputeUInt64Size((ulong)length) + length);
        if (model.Length + body.Length + weights > Largest - 64)
            throw new ModelFileException($"{path}: would have {weights:N0} bytes of weights, more than an ONNX file can; export it with --f16.");

        AtomicFile.Write(path, stream =>
        {
            stream.Write(model);
            stream.Write(Opening(7, body.Length + weights));
            stream.Write(body);
            for (int i = 0; i < tensors.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                stream.Write(Opening(5, Length(tensors[i], headers[i])));
                stream.Write(headers[i]);
                var bytes = new byte[tensors[i].Bytes];
                tensors[i].Write(bytes);
                stream.Write(bytes);
            }
        }, model.Length + body.Length + weights);
    }

    /// <summary>What stands before a message: its field and length.</summary>
    static byte[] Opening(int field, long length) => Message(output =>
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteLength((int)length);
    });

    /// <summary>A TensorProto up to its raw bytes, their tag and length included.</summary>
    static byte[] Header(OnnxTensor tensor) => Message(output =>
    {
        foreach (int extent in tensor.Extents) WriteInteger(output, 1, extent);
        WriteInteger(output, 2, (long)tensor.Type);
        WriteText(output, 8, tensor.Name);
        output.WriteTag(9, WireFormat.WireType.LengthDelimited);
        output.WriteLength(checked((int)tensor.Bytes));
    });

    static long Length(OnnxTensor tensor, byte[] header) => header.Length + tensor.Bytes;

    static void WriteNode(CodedOutputStream output, OnnxNode node)
    {
        foreach (string input in node.Inputs) WriteText(output, 1, input);
        foreach (string name in node.Outputs) WriteText(output, 2, name);
        WriteText(output, 3, node.Outputs[0]);
        WriteText(output, 4, node.Operator);
        foreach (OnnxAttribute attribute in node.Attributes) WriteMessage(output, 5, message => WriteAttribute(message, attribute));
    }

    static void WriteAttribute(CodedOutputStream output, OnnxAttribute attribute)
    {
        const int KindReal = 1, KindInteger = 2, KindText = 3, KindIntegers = 7;
        WriteText(output, 1, attribute.Name);
        int kind;
        if (attribute.Real is { } real)
        {
            kind = KindReal;
            output.WriteTag(2, WireFormat.WireType.Fixed32);
            output.WriteFloat(real);
        }
        else if (attribute.Integer is { } integer)
        {
            kind = KindInteger;
            WriteInteger(output, 3, integer);
        }
        else if (attribute.Text is { } text)
        {
            kind = KindText;
            WriteText(output, 4, text);
        }
        else
        {
            kind = KindIntegers;
            foreach (long value in attribute.Integers!) WriteInteger(output, 8, value);
        }
        WriteInteger(output, 20, kind);
    }

    /// <summary>A ValueInfoProto: name, element type and extents, named where they are free.</summary>
    static void WriteValue(CodedOutputStream output, OnnxValue value)
    {
        WriteText(output, 1, value.Name);
        WriteMessage(output, 2, type => WriteMessage(type, 1, tensor =>
        {
            WriteInteger(tensor, 1, (long)value.Type);
            WriteMessage(tensor, 2, shape =>
            {
                foreach (OnnxExtent extent in value.Extents)
                {
                    WriteMessage(shape, 1, dimension =>
                    {
                        if (extent.Name is { } name) WriteText(dimension, 2, name);
                        else WriteInteger(dimension, 1, extent.Length);
                    });
                }
            });
        }));
    }

    static byte[] Message(Action<CodedOutputStream> write)
    {
        using var memory = new MemoryStream();
        using (var output = new CodedOutputStream(memory, leaveOpen: true)) write(output);
        return memory.ToArray();
    }

    static void WriteMessage(CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(Message(write)));
    }

    static void WriteInteger(CodedOutputStream output, int field, long value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }

    static void WriteText(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }
}
