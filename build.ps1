<#
.SYNOPSIS
Drives dotnet: build, test, pack, publish. PowerShell language and .NET calls only, so that it runs in a bare runspace too.
#>
param(
    [ValidateSet('build', 'test', 'kernels', 'pack', 'publish')]
    [string] $Task = 'build',
    [string] $Configuration = 'Release',
    [string] $Runtime = ''
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
    'kernels' { throw 'There are no CUDA kernels to compile yet: src/Kernels holds none.' }
    'pack' {
        Invoke-Dotnet pack $engine -c $Configuration -o $artifacts
        Invoke-Dotnet pack $cli -c $Configuration -o $artifacts
    }
    'publish' {
        $target = if ($Runtime) { $Runtime } else { [Runtime.InteropServices.RuntimeInformation]::RuntimeIdentifier }
        Invoke-Dotnet publish $cli -c $Configuration -r $target --self-contained -o ([IO.Path]::Combine($artifacts, $target))
    }
}
