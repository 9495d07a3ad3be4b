using System.Reflection;
using System.Runtime.InteropServices;
using NetArchTest.Rules;

namespace ClipSegNative.Tests;

/// <summary>The arrows of docs/architecture.md: what each room may know.</summary>
public class ArrowTests
{
    const string Engine = "ClipSegNative";

    static readonly Assembly EngineAssembly = typeof(Segmenter).Assembly;

    static readonly string[] Rooms =
        ["Tensors", "Backends", "Backends.Cpu", "Backends.Cpu.Assembly", "Backends.Cuda", "Backends.Decorators", "Backends.Planning", "Interop", "Layers", "Models", "Imaging", "Text", "Weights", "Data", "Evaluation", "Calibration", "Training", "Export", "Cli"];

    public static TheoryData<string, string[]> Arrows => new()
    {
        { "Tensors", [] },
        { "Interop", [] },
        { "Imaging", ["Tensors"] },
        { "Text", ["Tensors"] },
        { "Weights", ["Tensors"] },
        { "Data", ["Tensors", "Imaging", "Weights"] },
        { "Evaluation", ["Tensors", "Imaging", "Data"] },
        { "Calibration", ["Weights", "Evaluation"] },
        { "Backends", ["Tensors", "Interop", "Backends", "Backends.Cpu", "Backends.Cpu.Assembly", "Backends.Cuda", "Backends.Decorators", "Backends.Planning"] },
        { "Backends.Cpu.Assembly", ["Interop"] },
        { "Backends.Planning", ["Tensors", "Backends", "Backends.Decorators"] },
        { "Layers", ["Tensors", "Backends", "Backends.Planning", "Weights"] },
        { "Models", ["Tensors", "Backends", "Backends.Planning", "Layers", "Weights"] },
        { "Export", ["Tensors", "Backends", "Layers", "Models", "Weights"] },
        { "Training", ["Tensors", "Backends", "Layers", "Models", "Imaging", "Text", "Weights", "Data", "Evaluation"] },
    };

    [Theory, MemberData(nameof(Arrows))]
    public void Room_KnowsOnly_WhatItsArrowsAllow(string room, string[] allowed)
    {
        string[] offenders =
        [
            .. from other in Rooms
               where other != room && !allowed.Contains(other)
               // A room's own sub-rooms begin with its name: only what lies exactly there is forbidden.
               from type in Types.InAssembly(EngineAssembly).That().ResideInNamespaceMatching($"^{Engine}\\.{room}(\\.|$)").GetTypes()
               where References(type, $"{Engine}.{other}")
               select $"{type.FullName} knows {other}",
        ];
        Assert.Empty(offenders);
    }

    [Fact]
    public void Rooms_AllHold_Something()
    {
        // An arrow of an empty room would always hold.
        foreach (ITheoryDataRow row in Arrows)
            Assert.NotEmpty(Types.InAssembly(EngineAssembly).That().ResideInNamespace($"{Engine}.{row.GetData()[0]}").GetTypes());
    }

    [Fact]
    public void NativeImports_AreOnlyIn_Interop()
    {
        MethodInfo[] imports =
        [
            .. EngineAssembly.GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                .Where(method => method.IsDefined(typeof(DllImportAttribute), inherit: false) || method.Attributes.HasFlag(MethodAttributes.PinvokeImpl)),
        ];
        Assert.NotEmpty(imports);
        Assert.All(imports, method => Assert.Equal($"{Engine}.Interop", method.DeclaringType!.Namespace));
    }

    [Fact]
    public void SourceFiles_AreAtMost_400Lines()
    {
        string[] long_ = [.. Repository.SourceFiles().Where(file => File.ReadLines(file).Count() > 400)];
        Assert.Empty(long_);
        Assert.True(Repository.SourceFiles().Count() > 50);
    }

    static bool References(Type type, string forbidden) =>
        Types.InAssembly(EngineAssembly).That().HaveName(type.Name).And().ResideInNamespace(type.Namespace!)
            .And().HaveDependencyOnAny([.. EngineAssembly.GetTypes().Where(other => other.Namespace == forbidden).Select(other => other.FullName!)]).GetTypes().Any();
}
