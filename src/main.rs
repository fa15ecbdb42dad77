//! The binary; all of it is in [`pitstop::cli`].

fn main() -> std::process::ExitCode {
    pitstop::cli::main()
}
