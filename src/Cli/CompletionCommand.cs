using System.CommandLine;

namespace ClipSegNative.Cli;

/// <summary>completion: scripts that let a shell ask this program for the next word.</summary>
static class CompletionCommand
{
    const string Bash = """
        _clipseg_native() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(clipseg-native "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _clipseg_native clipseg-native

        """;

    const string Zsh = """
        #compdef clipseg-native
        _clipseg_native() {
          local -a words_found
          words_found=("${(@f)$(clipseg-native "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          if [[ -n "${words_found[1]}" ]]; then compadd -- "${words_found[@]}"; else _files; fi
        }
        compdef _clipseg_native clipseg-native

        """;

    const string Fish = """
        complete -c clipseg-native -a '(clipseg-native "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'

        """;

    const string Pwsh = """
        Register-ArgumentCompleter -Native -CommandName clipseg-native -ScriptBlock {
          param($word, $line, $position)
          clipseg-native "[suggest:$position]" "$line" 2>$null | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
          }
        }

        """;

    static readonly Dictionary<string, string> Scripts = new() { ["bash"] = Bash, ["zsh"] = Zsh, ["fish"] = Fish, ["pwsh"] = Pwsh };

    public static Command Make()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or pwsh" };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new Command("completion", $"Prints a script that completes words: eval \"$({CommandLine.Name} completion bash)\".") { shell };
        command.SetAction(parse =>
        {
            parse.InvocationConfiguration.Output.Write(Scripts[parse.GetRequiredValue(shell)]);
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
