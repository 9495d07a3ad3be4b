using ClipSegNative.Cli.Tests;

[assembly: AssemblyFixture(typeof(TinyModel))]
