using System.Runtime.CompilerServices;

// Imports pass only what needs no conversion: a signature that does not is an error of the build, not of a NativeAOT program.
[assembly: DisableRuntimeMarshalling]
