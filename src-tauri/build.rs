//! Runs with the repository's root as its working directory (the package's root).

fn main() {}
