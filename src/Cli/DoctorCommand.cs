using System.CommandLine;
using ClipSegNative.Backends.Cpu;

namespace ClipSegNative.Cli;

/// <summary>What doctor prints as JSON.</summary>
/// <param name="Ok">Whether nothing failed.</param>
/// <param name="Checks">One a line of the text.</param>
sealed record DoctorReport(bool Ok, IReadOnlyList<DoctorCheck> Checks);

/// <summary>doctor: whether this machine and model will do, a line a check.</summary>
sealed class DoctorCommand : Command
{
    readonly Option<string?> _model = ModelFolder.Option();
    readonly Option<bool> _json = new("--json") { Description = "As one JSON object" };

    public DoctorCommand(Host host) : base("doctor", "Checks the machine, the libraries and the model: one line each, with what to do; exits with 1 if something fails.")
    {
        Options.Add(_model);
        Options.Add(_json);
        SetAction(parse => (int)Run(parse, host));
    }

    ExitCode Run(ParseResult parse, Host host)
    {
        DoctorCheck[] checks =
        [
            DoctorCheck.Runtime(),
            DoctorCheck.Processor(CpuInstructionSets.Best),
            DoctorCheck.Threads(host, Environment.ProcessorCount),
            DoctorCheck.Memory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
            DoctorCheck.Pictures(DoctorCheck.ReadOnePixel),
            .. DoctorCheck.Model(parse.GetValue(_model), host),
            .. DoctorCheck.Cuda(CudaInfo.Collect(host)),
        ];
        bool ok = checks.All(check => check.Health != Health.Fail);
        if (parse.GetValue(_json)) Lines.Write(host.Output, new DoctorReport(ok, checks));
        else foreach (DoctorCheck check in checks) parse.InvocationConfiguration.Output.WriteLine(check);
        return ok ? ExitCode.Ok : ExitCode.Failed;
    }
}
