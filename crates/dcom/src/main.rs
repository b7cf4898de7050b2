//! The `dcom` command; everything it does is in the library of this crate.

fn main() -> std::process::ExitCode {
    dcom::main()
}
