//! The training loop.
//!
//! In: a model, its graphs, its data, the settings of the run. Out: the weights that `keep` asks for, in the
//! model and in the run's folder, and events on the way. The whole state of a run between two steps is its
//! `Position`, its parameters and its states: from a checkpoint it goes on to the same bits. The number of
//! a step counts from 1 and, with the seed, is all that random numbers depend on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::checkpoint::{Position, Sum};
use super::checks;
use super::evaluate::Evaluator;
use super::event::{Ended, Event, Report, Start, Watch};
use super::feed::Feed;
use super::folder::RunFolder;
use super::model::{Model, Snapshot};
use super::stop::Seen;
use super::watch::Best;
use crate::data::{Dataset, Loader, Part};
use crate::diag::{Diagnostic, run as told};
use crate::ir::Role;
use crate::runtime::Executable;
use crate::runtime::step::Env;
use crate::sema::typed::{Asker, Every, Keep, Length, Pass, Settings, Stop, StopRule, Train, Watched};

/// How often an unfinished run is saved.
const SAVE_EVERY: Duration = Duration::from_secs(30);

/// A run that is ready to start.
pub struct Job<'a, 'm> {
    /// The run as checked.
    pub train: &'a Train,
    /// Its data.
    pub dataset: &'a Dataset,
    /// Its parameters and states.
    pub model: &'a mut Model<'m>,
    /// One step of training: a program for each pass of the run, in order.
    pub steps: Vec<Executable>,
    /// One split.
    pub evaluator: Evaluator,
}

/// What surrounds a run.
pub struct Control<'a> {
    /// Where it writes; nowhere without.
    pub folder: Option<&'a RunFolder>,
    /// Whether it goes on from the checkpoint in its folder.
    pub resume: bool,
    /// Whether the test split is evaluated in the end.
    pub test: bool,
    /// Set by a signal: the step that runs is the last.
    pub interrupted: &'a AtomicBool,
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub enum End {
    /// All epochs or steps are done, or it stopped as asked.
    Done {
        /// On the test split with the weights kept.
        test: Option<Report>,
    },
    /// A signal; the checkpoint is saved.
    Interrupted,
    /// The loss is no number; the last sound weights are saved.
    Diverged(Box<Diagnostic>),
}

/// Why an epoch ended.
enum Epoch {
    Whole,
    Interrupted,
    /// `stop` asks for it; what the epoch came to counts.
    Stopped(Ended),
    /// A loss is no number.
    Diverged {
        /// What it is instead.
        loss: f64,
        /// Of the rule of `stop` that is there for it.
        stopped: Option<Ended>,
    },
}

/// What a step came to.
enum Step {
    Done {
        /// The sum of the losses before the update.
        loss: f64,
        /// Of each tally.
        sums: Vec<Sum>,
    },
    NoNumber {
        /// What it is instead.
        loss: f64,
        /// Whose loss.
        tally: usize,
    },
}

/// Trains.
pub fn run(job: Job<'_, '_>, control: &Control<'_>, watch: &mut dyn Watch) -> Result<End, Diagnostic> {
    let settings = &job.train.settings;
    let dataset = job.dataset;
    let data = dataset.schema();
    let feed = Feed::new(&job.model.graph, &data.columns).held_to(&job.train.demands, &[Asker::Step]);
    let loader = dataset.loader(Part::Train).only(&feed.names());
    let batches = loader.batches() as u64;
    if batches == 0 {
        return Err(told::no_batch(data.name.as_str(), loader.rows(), data.batch));
    }
    let tallies = tallies(job.train);
    let looks = looks(settings, dataset, &tallies)?;
    let (steps, epochs) = match settings.length {
        Length::Epochs(epochs) => (epochs.saturating_mul(batches), epochs),
        Length::Steps(steps) => (steps, steps.div_ceil(batches)),
    };
    let mut position = Position::default();
    let mut best = None;
    if let (true, Some(folder)) = (control.resume, control.folder) {
        (position, best) = job.model.load_checkpoint(&folder.checkpoint())?;
        folder.keep_until(&position)?;
    }
    watch.on(&Event::Start(&Start {
        name: name(job.train),
        run: control.folder.map(RunFolder::shown).unwrap_or_default(),
        seed: settings.seed,
        parameters: job.model.parameters(),
        rows: data.rows,
        batch: data.batch,
        steps_per_epoch: batches,
        steps,
        epochs,
        finished: position.epoch,
    }));
    let sound = job.model.snapshot();
    let saved = Instant::now();
    position.seen.resize(settings.stop.len(), Seen::default());
    Loop { job, control, watch, feed, loader, steps, looks, tallies, position, best, sound, sound_epoch: 0, saved }
        .run()
}

/// `Net on Iris`
pub(super) fn name(train: &Train) -> String {
    let models: Vec<&str> = train.models.iter().map(|model| model.as_str()).collect();
    format!("{} on {}", models.join(", "), train.data)
}

/// Which splits are looked at after each epoch: validation, and what is watched.
fn looks(settings: &Settings, dataset: &Dataset, tallies: &[Tally]) -> Result<Vec<Part>, Diagnostic> {
    let watched = settings.stop.iter().map(|stop| &stop.watch).chain(match &settings.keep {
        Keep::Best(watched) => Some(watched),
        Keep::Last => None,
    });
    let watched = watched.chain(&settings.goals);
    let mut looks = vec![Part::Valid];
    for watched in watched {
        let part = part(watched);
        if dataset.schema().rows(part) == 0 {
            return Err(told::watched_without_rows(&watched.split, &watched.name, watched.span, watched.rows.clone()));
        }
        // The losses on the training rows are known from the steps.
        if !looks.contains(&part) && !is_of_steps(watched, tallies) {
            looks.push(part);
        }
    }
    looks.sort();
    Ok(looks)
}

/// A value that a pass computes in each step, and what it is reported as.
struct Tally {
    name: String,
    pass: usize,
    role: Role,
}

/// Whether a watched value is one that each step computes.
fn is_of_steps(watched: &Watched, tallies: &[Tally]) -> bool {
    part(watched) == Part::Train && (watched.name == "loss" || tallies.iter().any(|tally| tally.name == watched.name))
}

/// The losses of a run, then its penalties.
fn tallies(train: &Train) -> Vec<Tally> {
    let passes = || train.passes.iter().enumerate();
    let losses = passes().map(|(at, pass)| {
        let name = if pass.name.is_empty() { "loss".to_owned() } else { format!("loss_{}", pass.name) };
        Tally { name, pass: at, role: Role::Loss }
    });
    let penalties = passes().flat_map(|(at, pass)| {
        let tally = move |name: &String| Tally { name: name.clone(), pass: at, role: Role::Metric(name.clone()) };
        pass.section.metrics.iter().map(move |penalty| tally(&penalty.name))
    });
    losses.chain(penalties).collect()
}

/// The means over the batches of an epoch. `loss` is the sum of all losses.
fn reported(tallies: &[Tally], sums: &[Sum]) -> Report {
    let mut loss = 0.0;
    let mut values: Vec<(String, f64)> = Vec::new();
    for (tally, sum) in tallies.iter().zip(sums).filter(|(_, sum)| sum.rows > 0) {
        let mean = sum.total / sum.rows as f64;
        if tally.role == Role::Loss {
            loss += mean;
        }
        // A penalty may be in several losses, where it is the same.
        if tally.name != "loss" && values.iter().all(|(name, _)| *name != tally.name) {
            values.push((tally.name.clone(), mean));
        }
    }
    values.insert(0, ("loss".to_owned(), loss));
    Report { values, tables: Vec::new() }
}

/// Adds what a step came to.
fn add(sums: &mut Vec<Sum>, step: &[Sum]) {
    sums.resize(step.len(), Sum::default());
    for (sum, step) in sums.iter_mut().zip(step) {
        sum.total += step.total;
        sum.rows += step.rows;
    }
}

/// The numbers, from 1, of the runs of a pass in a step of the run: none in a step that `every` leaves out.
fn runs(pass: &Pass, step: u64) -> std::ops::RangeInclusive<u64> {
    let before = (step / pass.every).saturating_sub(1) * pass.repeat;
    let count = if step.is_multiple_of(pass.every) { pass.repeat } else { 0 };
    before + 1..=before + count
}

fn part(watched: &Watched) -> Part {
    let named = |part: &Part| part.as_str() == watched.split;
    Part::ALL.into_iter().find(named).unwrap_or(Part::Valid)
}

/// A run that goes on.
struct Loop<'a, 'm, 'w> {
    job: Job<'a, 'm>,
    control: &'w Control<'w>,
    watch: &'w mut dyn Watch,
    feed: Feed,
    loader: Loader<'a>,
    /// All steps of the run.
    steps: u64,
    looks: Vec<Part>,
    /// What is reported of the steps.
    tallies: Vec<Tally>,
    position: Position,
    /// The weights that `keep` asks for.
    best: Option<Snapshot>,
    /// The weights after the last epoch that left finite ones.
    sound: Snapshot,
    sound_epoch: u64,
    saved: Instant,
}

impl Loop<'_, '_, '_> {
    fn run(mut self) -> Result<End, Diagnostic> {
        while self.position.step < self.steps {
            let mut ended = None;
            match self.epoch()? {
                Epoch::Whole => {}
                Epoch::Interrupted => return self.interrupted(),
                Epoch::Stopped(why) => ended = Some(why),
                Epoch::Diverged { stopped: Some(why), .. } => return self.stopped_at(&why),
                Epoch::Diverged { loss, stopped: None } => return self.diverged(loss),
            }
            let looked = self.look()?;
            if let Some(why) = ended.or(looked).filter(|_| self.position.step < self.steps) {
                let (epoch, step) = (self.position.epoch, self.position.step);
                self.watch.on(&Event::Stopped { epoch, step, why: &why });
                break;
            }
            if self.is_due(|every| matches!(every, Every::Epochs(n) if self.position.epoch.is_multiple_of(n))) {
                self.keep_checkpoint()?;
            }
            if self.saved.elapsed() > SAVE_EVERY {
                self.save_checkpoint()?;
            }
        }
        self.done()
    }

    /// The steps of an epoch that are left.
    fn epoch(&mut self) -> Result<Epoch, Diagnostic> {
        while self.position.batch < self.loader.batches() && self.position.step < self.steps {
            if self.control.interrupted.load(Ordering::Relaxed) {
                return Ok(Epoch::Interrupted);
            }
            let (loss, sums) = match self.step(self.position.step + 1)? {
                Step::Done { loss, sums } => (loss, sums),
                Step::NoNumber { loss, tally } => {
                    let stopped = self.no_number(tally, loss);
                    return Ok(Epoch::Diverged { loss, stopped });
                }
            };
            self.position.step += 1;
            self.position.batch += 1;
            add(&mut self.position.sums, &sums);
            self.watch.on(&Event::Step { epoch: self.position.epoch + 1, step: self.position.step, loss });
            self.log(&sums)?;
            if let Some(why) = self.stopped_by_step(&sums) {
                return Ok(Epoch::Stopped(why));
            }
            if self.is_due(|every| matches!(every, Every::Steps(n) if self.position.step.is_multiple_of(n))) {
                self.keep_checkpoint()?;
            }
        }
        Ok(Epoch::Whole)
    }

    /// Reports the steps since the last time, where it is time to.
    fn log(&mut self, sums: &[Sum]) -> Result<(), Diagnostic> {
        let Some(every) = self.job.train.settings.log else { return Ok(()) };
        add(&mut self.position.logged, sums);
        if !self.position.step.is_multiple_of(every) {
            return Ok(());
        }
        let report = reported(&self.tallies, &std::mem::take(&mut self.position.logged));
        let event = Event::Log { epoch: self.position.epoch + 1, step: self.position.step, report: &report };
        if let Some(folder) = self.control.folder {
            folder.append_metrics(&event)?;
        }
        self.watch.on(&event);
        Ok(())
    }

    /// The step of a number.
    fn step(&mut self, step: u64) -> Result<Step, Diagnostic> {
        let steps_per_epoch = self.loader.batches() as u64;
        let rows = self.feed.load(&self.loader, self.position.epoch, self.position.batch)?;
        let (inputs, sizes) = (self.feed.inputs(), self.feed.sizes());
        let seed = self.job.train.settings.seed;
        let mut loss = 0.0;
        let mut sums = vec![Sum::default(); self.tallies.len()];
        for (at, (pass, program)) in self.job.train.passes.iter().zip(&mut self.job.steps).enumerate() {
            for number in runs(pass, step) {
                let env = Env { inputs: &inputs, sizes, seed, step: number, steps_per_epoch };
                let results = program.run(&env, &mut self.job.model.store)?;
                checks::hold(&results, &pass.section.checks, sizes)?;
                for (index, tally) in self.tallies.iter().enumerate().filter(|(_, tally)| tally.pass == at) {
                    let value = f64::from(results.scalar(&tally.role).unwrap_or(f32::NAN));
                    if tally.role == Role::Loss && !value.is_finite() {
                        return Ok(Step::NoNumber { loss: value, tally: index });
                    }
                    if tally.role == Role::Loss {
                        loss += value / pass.repeat as f64;
                    }
                    sums[index].total += value * rows as f64;
                    sums[index].rows += rows as u64;
                }
            }
        }
        Ok(Step::Done { loss, sums })
    }

    /// The end that `stop` gives a loss that is no number, when a rule watches it.
    fn no_number(&self, tally: usize, loss: f64) -> Option<Ended> {
        let watches = |stop: &Stop| {
            let name = &stop.watch.name;
            matches!(stop.rule, StopRule::Diverged(_))
                && part(&stop.watch) == Part::Train
                && (name == "loss" || *name == self.tallies[tally].name)
        };
        let mut rules = self.job.train.settings.stop.iter().zip(&self.position.seen);
        rules.find(|(stop, _)| watches(stop)).map(|(stop, seen)| seen.no_number(stop, loss))
    }

    /// The rule of `stop` that ends the run after a step, with what the step came to.
    fn stopped_by_step(&mut self, sums: &[Sum]) -> Option<Ended> {
        let epoch = self.position.epoch + 1;
        let rules = self.job.train.settings.stop.iter().zip(&mut self.position.seen);
        // The sum of all losses is none where `every` leaves one out.
        let whole = self.tallies.iter().zip(sums).all(|(tally, sum)| sum.rows > 0 || tally.role != Role::Loss);
        let mut of_steps = rules.filter(|(stop, _)| is_of_steps(&stop.watch, &self.tallies)).peekable();
        of_steps.peek()?;
        let report = reported(&self.tallies, sums);
        let value = |stop: &Stop| report.get(&stop.watch.name).filter(|_| whole || stop.watch.name != "loss");
        let mut ended = of_steps.map(|(stop, seen)| seen.step(stop, value(stop)?, epoch));
        // Each rule takes the step, whichever holds.
        ended.by_ref().fold(None, |first, now| first.or(now))
    }

    /// Looks at the splits after an epoch; why the run stops here, if it does.
    fn look(&mut self) -> Result<Option<Ended>, Diagnostic> {
        let position = &mut self.position;
        let mut train = reported(&self.tallies, &position.sums);
        (position.epoch, position.batch) = (position.epoch + 1, 0);
        position.sums.clear();
        let epoch = position.epoch;

        let mut reports = Vec::new();
        for part in &self.looks {
            let Some(report) = self.job.evaluator.run(self.job.model, self.job.dataset, *part)? else { continue };
            match part {
                Part::Train => {
                    let known: Vec<String> = train.values.iter().map(|(name, _)| name.clone()).collect();
                    train.values.extend(report.values.into_iter().filter(|(name, _)| !known.contains(name)));
                    train.tables = report.tables;
                }
                Part::Valid | Part::Test => reports.push((part.as_str(), report)),
            }
        }
        reports.insert(0, (Part::Train.as_str(), train));
        let value = |watched: &Watched| {
            let report = reports.iter().find(|(split, _)| *split == watched.split);
            report.and_then(|(_, report)| report.get(&watched.name)).unwrap_or(f64::NAN)
        };

        let settings = &self.job.train.settings;
        let mut is_best = true;
        if let Keep::Best(watched) = &settings.keep {
            is_best = Best::update(&mut self.position.kept, &watched.name, value(watched), epoch);
            if is_best {
                self.best = Some(self.job.model.snapshot());
            }
        }
        let mut ended = None;
        for (stop, seen) in settings.stop.iter().zip(&mut self.position.seen) {
            // What the steps have followed has been looked at.
            let by_step = matches!(stop.rule, StopRule::Diverged(_)) && is_of_steps(&stop.watch, &self.tallies);
            if !by_step {
                ended = ended.or(seen.epoch(stop, value(&stop.watch), epoch));
            }
        }
        if self.job.model.is_finite() {
            (self.sound, self.sound_epoch) = (self.job.model.snapshot(), epoch);
        }
        let event = Event::Epoch { epoch, step: self.position.step, reports: &reports, best: is_best };
        if let Some(folder) = self.control.folder {
            folder.append_metrics(&event)?;
        }
        self.watch.on(&event);
        Ok(ended)
    }

    /// Ends where a loss is no number, and ends well: with the weights that were sound.
    fn stopped_at(mut self, why: &Ended) -> Result<End, Diagnostic> {
        let (epoch, step) = (self.position.epoch + 1, self.position.step + 1);
        self.watch.on(&Event::Stopped { epoch, step, why });
        self.job.model.restore(&self.sound);
        self.position.epoch = self.sound_epoch;
        self.done()
    }

    fn done(mut self) -> Result<End, Diagnostic> {
        let mut epoch = self.position.epoch;
        if let Some(best) = &self.best {
            self.job.model.restore(best);
            epoch = self.position.kept.map_or(epoch, |best| best.epoch);
        }
        let test = match self.control.test {
            true => self.job.evaluator.run(self.job.model, self.job.dataset, Part::Test)?,
            false => None,
        };
        let run = self.control.folder.map(RunFolder::shown).unwrap_or_default();
        let event = Event::Done { test: test.as_ref(), epoch, step: self.position.step, run: &run };
        if let Some(folder) = self.control.folder {
            self.save_weights(folder)?;
            folder.append_metrics(&event)?;
            folder.remove_checkpoint()?;
        }
        self.watch.on(&event);
        Ok(End::Done { test })
    }

    fn interrupted(mut self) -> Result<End, Diagnostic> {
        self.save_checkpoint()?;
        if let Some(folder) = self.control.folder {
            self.save_weights(folder)?;
        }
        let run = self.control.folder.map(RunFolder::shown).unwrap_or_default();
        self.watch.on(&Event::Interrupted { epoch: self.position.epoch, step: self.position.step, run: &run });
        Ok(End::Interrupted)
    }

    fn diverged(self, loss: f64) -> Result<End, Diagnostic> {
        let (epoch, step) = (self.position.epoch + 1, self.position.step + 1);
        let (kept, good) = match (&self.best, self.position.kept) {
            (Some(best), Some(kept)) => (best, kept.epoch),
            _ => (&self.sound, self.sound_epoch),
        };
        self.job.model.restore(kept);
        let diagnostic = told::not_finite(loss, epoch, step, good);
        let run = self.control.folder.map(RunFolder::shown).unwrap_or_default();
        let event = Event::Diverged { epoch, step, message: &diagnostic.message, run: &run };
        if let Some(folder) = self.control.folder {
            self.save_weights(folder)?;
            folder.append_metrics(&event)?;
            folder.remove_checkpoint()?;
        }
        self.watch.on(&event);
        Ok(End::Diverged(Box::new(diagnostic)))
    }

    fn save_weights(&self, folder: &RunFolder) -> Result<(), Diagnostic> {
        self.job.model.save_weights(&folder.weights(), &self.position)?;
        self.job.model.save_optimizer(&folder.optimizer(), &self.position)
    }

    /// Whether `checkpoint` asks for one now.
    fn is_due(&self, now: impl Fn(Every) -> bool) -> bool {
        self.job.train.settings.checkpoint.is_some_and(|checkpoint| now(checkpoint.every))
    }

    /// A checkpoint that stays when newer ones come, and when the run is done.
    fn keep_checkpoint(&mut self) -> Result<(), Diagnostic> {
        self.save_checkpoint()?;
        match (self.control.folder, self.job.train.settings.checkpoint) {
            (Some(folder), Some(checkpoint)) => folder.keep_checkpoint(self.position.step, checkpoint.keep),
            _ => Ok(()),
        }
    }

    fn save_checkpoint(&mut self) -> Result<(), Diagnostic> {
        self.saved = Instant::now();
        match self.control.folder {
            Some(folder) => self.job.model.save_checkpoint(&folder.checkpoint(), &self.position, self.best.as_ref()),
            None => Ok(()),
        }
    }
}
