import Glibc

ProcessSetup.run()
exit(VestigeCommand.runToExitCode(Array(CommandLine.arguments.dropFirst())).rawValue)
