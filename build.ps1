<#
.SYNOPSIS
Drives dotnet and, for the CUDA kernels, clang: build, test, kernels, pack, publish. PowerShell language and .NET calls only, so that it runs in a bare
runspace too.
#>
param(
    [ValidateSet('build', 'test', 'kernels', 'pack', 'publish')]
    [string] $Task = 'build',
    [string] $Configuration = 'Release',
    [string] $Runtime = '',
    # With it, publish compiles ahead of time (NativeAOT) for such processors: x86-64-v3 has AVX2, x86-64-v4 AVX-512. Needs clang or gcc.
    [string] $InstructionSet = '',
    # Where 'kernels' writes the PTX; else where it is committed.
    [string] $Output = ''
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) { throw "dotnet $($args -join ' ') ended with exit code $LASTEXITCODE." }
}

$root = $PSScriptRoot
$solution = [IO.Path]::Combine($root, 'ClipSegNative.sln')
$engine = [IO.Path]::Combine($root, 'src', 'Engine', 'ClipSegNative.csproj')
$cli = [IO.Path]::Combine($root, 'src', 'Cli', 'Cli.csproj')
$artifacts = [IO.Path]::Combine($root, 'artifacts')

switch ($Task) {
    'build' { Invoke-Dotnet build $solution -c $Configuration }
    'test' { Invoke-Dotnet test --solution $solution -c $Configuration }
    'kernels' {
        $kernels = [IO.Path]::Combine($root, 'src', 'Kernels')
        $ptx = if ($Output) { $Output } else { [IO.Path]::Combine($kernels, 'ptx') }
        foreach ($source in [IO.Directory]::GetFiles($kernels, '*.cu')) {
            $target = [IO.Path]::Combine($ptx, [IO.Path]::GetFileNameWithoutExtension($source) + '.ptx')
            # sm_80 and PTX 7.0 load on every driver since CUDA 11.0; clang emits the same bytes on every machine.
            & clang-19 -x cuda --cuda-device-only -nocudainc -nocudalib --cuda-gpu-arch=sm_80 --cuda-feature=+ptx70 `
                -std=c++17 -O3 -fno-exceptions -fno-rtti -Wall -Wextra -Werror -Wno-pass-failed -S $source -o $target
            if ($LASTEXITCODE -ne 0) { throw "clang-19 could not compile $source." }
        }
    }
    'pack' {
        Invoke-Dotnet pack $engine -c $Configuration -o $artifacts
        Invoke-Dotnet pack $cli -c $Configuration -o $artifacts
    }
    'publish' {
        $target = if ($Runtime) { $Runtime } else { [Runtime.InteropServices.RuntimeInformation]::RuntimeIdentifier }
        if ($InstructionSet) {
            Invoke-Dotnet publish $cli -c $Configuration -r $target "-p:PublishAot=true" "-p:IlcInstructionSet=$InstructionSet" -o ([IO.Path]::Combine($artifacts, "$target-$InstructionSet"))
        }
        else {
            Invoke-Dotnet publish $cli -c $Configuration -r $target --self-contained -o ([IO.Path]::Combine($artifacts, $target))
        }
    }
}
