//! `cargo xtask test`: every check there is, cheapest first, stopping at the first failure.
//!
//! [`steps`] is the list. A step that this machine cannot take says so and is counted as skipped; `CREEL_REQUIRE` makes it
//! a failure. The output of every step goes straight to the terminal.

mod requirements;
mod steps;
mod summary;

use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::layout::Layout;
use crate::program::say;
use requirements::Requirements;
use steps::{Outcome, STEPS, Step};
use summary::{Ending, Line};

#[derive(Args)]
pub struct Options {
    /// Take these steps only, by name (all of them without a name)
    steps: Vec<String>,
    /// Go on after a failure, to see them all
    #[arg(long)]
    keep_going: bool,
    /// Print the names of the steps
    #[arg(long)]
    list: bool,
}

/// What every step is given.
pub struct Context<'a> {
    pub layout: &'a Layout,
    pub requirements: &'a Requirements,
}

pub fn test(layout: &Layout, options: &Options) -> Result<()> {
    if options.list {
        STEPS.iter().for_each(|step| say(&format!("{:<14} {}", step.name, step.about)));
        return Ok(());
    }
    let chosen = choose(&options.steps)?;
    let requirements = Requirements::from_environment()?;
    let context = Context { layout, requirements: &requirements };
    let mut lines: Vec<Line> = Vec::new();
    let mut stopped = false;
    for (position, step) in chosen.iter().enumerate() {
        if stopped {
            lines.push(Line::not_run(step.name));
            continue;
        }
        say(&format!("\n=== {}/{} {}: {}", position + 1, chosen.len(), step.name, step.about));
        let started = Instant::now();
        let ending = take(step, &context);
        let line = Line { name: step.name, ending, took: Some(started.elapsed()) };
        say(&format!("--- {line}"));
        stopped = line.is_failure() && !options.keep_going;
        lines.push(line);
    }
    say(&summary::table(&lines));
    if lines.iter().any(Line::is_failure) {
        bail!("the tests did not pass");
    }
    Ok(())
}

/// Runs one step; a skip that `CREEL_REQUIRE` forbids is a failure.
fn take(step: &Step, context: &Context<'_>) -> Ending {
    match (step.run)(context) {
        Ok(Outcome::Passed) => Ending::Passed,
        Ok(Outcome::Skipped { reason, lacks }) => match lacks.filter(|lacks| context.requirements.demand(*lacks)) {
            Some(lacks) => Ending::Failed(format!("{reason}, and CREEL_REQUIRE demands {lacks}")),
            None => Ending::Skipped(reason),
        },
        Err(error) => Ending::Failed(format!("{error:#}")),
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        bail!("there is no step `{unknown}`; `cargo xtask test --list` names them");
    }
    Ok(STEPS.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::requirements::Requirement;
    use super::*;

    fn ending(run: fn(&Context<'_>) -> Result<Outcome>, required: &str) -> Ending {
        let layout = Layout::of_this_repository().unwrap();
        let requirements = Requirements::parse(required).unwrap();
        take(&Step { name: "step", about: "", run }, &Context { layout: &layout, requirements: &requirements })
    }

    #[test]
    fn a_skip_is_a_failure_only_when_its_requirement_is_demanded() {
        let skip = |_: &Context<'_>| Ok(Outcome::skipped_for_want_of(Requirement::Chromium, "no browser"));
        assert!(matches!(ending(skip, "root,display"), Ending::Skipped(_)));
        assert!(matches!(ending(skip, "root,display,chromium"), Ending::Failed(_)));
        assert!(matches!(ending(|_| bail!("broken"), ""), Ending::Failed(_)));
        assert!(matches!(ending(|_| Ok(Outcome::Passed), ""), Ending::Passed));
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        assert_eq!(choose(&[]).unwrap().len(), STEPS.len());
        let last_and_first = [STEPS[STEPS.len() - 1].name.to_owned(), STEPS[0].name.to_owned()];
        let chosen = choose(&last_and_first).unwrap();
        assert_eq!(chosen[0].name, STEPS[0].name);
        assert_eq!(chosen.len(), 2);
        assert!(choose(&["no-such-step".to_owned()]).is_err());
    }

    #[test]
    fn no_two_steps_share_a_name() {
        for (position, step) in STEPS.iter().enumerate() {
            assert!(STEPS[position + 1..].iter().all(|other| other.name != step.name), "{}", step.name);
        }
    }
}
