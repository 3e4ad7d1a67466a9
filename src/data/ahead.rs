//! Pictures of the next batches and what follows them, made while the step before them runs.
//!
//! In: columns of pictures, an order of rows. Out: the numbers of batch `index` of `epoch`. A thread makes the
//! batches that follow the one asked for last and waits when as many as `prefetch` says are ready; it lets rayon's threads make
//! the rows of each. Whoever asks for another batch than the next starts a new thread from there. What
//! is ready, and who made it, changes no bit: a row depends on its file, its epoch and its number.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Checked;
use super::dataset::{Store, Stored};
use super::image::{Epoch, Maker};
use super::order::Order;
use super::split::{Purpose, key};

/// Makes the columns of a loader that are made.
#[derive(Debug)]
pub(super) struct Ahead {
    work: Arc<Work>,
    queue: Mutex<Option<Queue>>,
}

/// The numbers of a batch: for each column of pictures its rows.
pub(super) type Made = Vec<Vec<f32>>;

/// What a thread makes.
#[derive(Debug)]
struct Work {
    columns: Vec<(Maker, usize)>,
    order: Order,
    /// Whether rows are changed at random, and epochs follow each other.
    training: bool,
    /// Batches that wait beside the one that is being made; with none each is made where it is asked for.
    ready: usize,
}

#[derive(Debug)]
struct Queue {
    next: (u64, usize),
    made: Receiver<Checked<Made>>,
}

impl Ahead {
    /// For some columns of a store with the sizes of their rows; none when no column is made.
    pub fn of(store: &Store, columns: &[(usize, usize)], order: Order, training: bool, ready: usize) -> Option<Ahead> {
        let pictures = columns.iter().filter_map(|&(at, item)| match &store.columns[at] {
            Stored::Made(maker) => Some((maker.clone(), item)),
            Stored::F32(_) | Stored::I32(_) | Stored::Texts(..) => None,
        });
        let columns: Vec<(Maker, usize)> = pictures.collect();
        let work = Arc::new(Work { columns, order, training, ready });
        (!work.columns.is_empty()).then_some(Ahead { work, queue: Mutex::new(None) })
    }

    /// The pictures of a batch, made already or made now.
    pub fn take(&self, epoch: u64, index: usize) -> Checked<Made> {
        let mut queue = self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if queue.as_ref().is_none_or(|queue| queue.next != (epoch, index)) {
            *queue = self.work.start(epoch, index);
        }
        let made = queue.as_ref().and_then(|queue| queue.made.recv().ok());
        match (made, self.work.following(epoch, index)) {
            (Some(made), Some(next)) => {
                queue.iter_mut().for_each(|queue| queue.next = next);
                made
            }
            (made, _) => {
                *queue = None;
                // Without a thread the pictures are made here.
                made.unwrap_or_else(|| self.work.make(epoch, index))
            }
        }
    }
}

impl Work {
    /// A thread that makes this batch and those after it, until nobody asks any more.
    fn start(self: &Arc<Work>, epoch: u64, index: usize) -> Option<Queue> {
        if self.ready == 0 {
            return None;
        }
        let (sender, made) = sync_channel(self.ready);
        let work = self.clone();
        let run = move || {
            let mut at = Some((epoch, index));
            while let Some((epoch, index)) = at {
                if sender.send(work.make(epoch, index)).is_err() {
                    return;
                }
                at = work.following(epoch, index);
            }
        };
        thread::Builder::new().name("pictures".to_owned()).spawn(run).ok()?;
        Some(Queue { next: (epoch, index), made })
    }

    /// The batch after this one; evaluation ends with its epoch.
    fn following(&self, epoch: u64, index: usize) -> Option<(u64, usize)> {
        match index + 1 < self.order.batches() {
            true => Some((epoch, index + 1)),
            false => self.training.then_some((epoch + 1, 0)),
        }
    }

    fn make(&self, epoch: u64, index: usize) -> Checked<Made> {
        let rows = self.order.chosen(epoch, index);
        let random = self.training.then(|| Epoch { key: key(self.order.seed, Purpose::Augment), number: epoch });
        let columns = self.columns.iter().map(|(maker, item)| {
            let mut numbers = vec![0.0; rows.len() * item];
            maker.write(&rows, random, &mut numbers)?;
            Ok(numbers)
        });
        columns.collect()
    }
}
