//! The threads of a step: they wait for work by spinning, since the next kernel is microseconds away,
//! and sleep when nothing comes.
//!
//! In: how many chunks, and what to do for each. Out: all of it done. Chunks are claimed one by one, so
//! a slow thread takes fewer; which thread does which chunk is left open, and nothing may depend on it.
#![expect(unsafe_code, reason = "a borrowed closure is handed to threads that outlive the borrow")]

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a thread looks for work before it sleeps.
const PATIENCE: Duration = Duration::from_micros(40);

/// What is done for a chunk: `work(thread, chunk)`.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// The caller's thread and some more.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    sleepers: Vec<Thread>,
}

/// A job is open while `state` has `OPEN`. A worker enters an open job by adding `ENTERED` in one
/// atomic step, and subtracts it when it leaves; the caller closes the job and waits for the last one.
/// Nobody can enter a closed job, so after that wait nobody uses the closure.
struct Shared {
    /// The job's number times `JOB`, plus `ENTERED` for each worker inside, plus `OPEN`.
    state: AtomicU64,
    job: UnsafeCell<Job>,
    /// The next chunk to claim.
    next: AtomicUsize,
    failed: AtomicBool,
    stop: AtomicBool,
    asleep: Vec<AtomicBool>,
}

#[derive(Clone, Copy)]
struct Job {
    work: *const Work<'static>,
    chunks: usize,
}

const OPEN: u64 = 1;
const ENTERED: u64 = 2;
const JOB: u64 = 1 << 16;

// SAFETY: `job` is written only by the caller while the job is closed and nobody is inside (`run`), and
// read only inside an open job; `state` orders the two.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is to a `Sync` closure.
unsafe impl Send for Shared {}

impl Pool {
    /// A pool of so many threads, the caller's included.
    pub fn new(threads: usize) -> Pool {
        let workers = threads.clamp(1, 1024) - 1;
        let nothing: &'static Work<'static> = &|_, _| {};
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(Job { work: nothing, chunks: 0 }),
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            asleep: (0..workers).map(|_| AtomicBool::new(false)).collect(),
        });
        let spawn = |worker: usize| {
            let shared = shared.clone();
            std::thread::Builder::new().name(format!("tensa-{}", worker + 1)).spawn(move || shared.serve(worker))
        };
        // Fewer threads than asked for are no fault: the others do the work.
        let workers: Vec<JoinHandle<()>> = (0..workers).map_while(|worker| spawn(worker).ok()).collect();
        let sleepers = workers.iter().map(|worker| worker.thread().clone()).collect();
        Pool { shared, workers, sleepers }
    }

    /// How many threads work, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Does the work for each chunk. `&mut`: one job at a time.
    pub fn run(&mut self, chunks: usize, work: &Work<'_>) {
        if chunks <= 1 || self.workers.is_empty() {
            (0..chunks).for_each(|chunk| work(0, chunk));
            return;
        }
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. The pointer is used inside this job alone, and this
        // function does not return, nor unwind, before the job is closed and everyone has left it.
        let work = unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(work) };
        // SAFETY: the job is closed and nobody is inside, as the last call left it.
        unsafe { *shared.job.get() = Job { work, chunks } };
        shared.next.store(0, Ordering::Relaxed);
        let number = shared.state.load(Ordering::Relaxed) / JOB + 1;
        shared.state.store(number * JOB + OPEN, Ordering::SeqCst);
        for (asleep, sleeper) in shared.asleep.iter().zip(&self.sleepers) {
            if asleep.swap(false, Ordering::SeqCst) {
                sleeper.unpark();
            }
        }
        shared.take_part(0);
        shared.state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0u32;
        while !shared.state.load(Ordering::Acquire).is_multiple_of(JOB) {
            // A worker may wait for this very core.
            spins += 1;
            if spins.is_multiple_of(1 << 10) { std::thread::yield_now() } else { spin_loop() }
        }
        if shared.failed.swap(false, Ordering::Relaxed) {
            resume_unwind(Box::new("a kernel panicked"));
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches what its work throws: there is nothing to pass on.
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// Claims chunks until none is left. Only called inside an open job.
    fn take_part(&self, thread: usize) {
        // SAFETY: the caller is inside the job, so `run` has written it and waits for this to return.
        let job = unsafe { *self.job.get() };
        // SAFETY: as above; the closure is borrowed by `run`, which waits.
        let work = unsafe { &*job.work };
        let caught = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let chunk = self.next.fetch_add(1, Ordering::Relaxed);
                if chunk >= job.chunks {
                    break;
                }
                work(thread, chunk);
            }
        }));
        if caught.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    fn serve(&self, worker: usize) {
        let mut done = 0;
        while let Some(number) = self.wait(worker, done) {
            done = number;
            self.take_part(worker + 1);
            self.state.fetch_sub(ENTERED, Ordering::Release);
        }
    }

    /// Enters the next open job after number `done`; none when the pool ends.
    fn wait(&self, worker: usize, done: u64) -> Option<u64> {
        let mut since = Instant::now();
        let mut spins = 0u32;
        loop {
            if let Some(number) = self.enter(done) {
                return Some(number);
            }
            if self.stop.load(Ordering::SeqCst) {
                return None;
            }
            spin_loop();
            spins += 1;
            if !spins.is_multiple_of(64) || since.elapsed() < PATIENCE {
                continue;
            }
            // First tell, then look again: whoever opens a job looks for sleepers after opening it.
            self.asleep[worker].store(true, Ordering::SeqCst);
            let open = self.state.load(Ordering::SeqCst);
            let new = open & OPEN != 0 && open / JOB > done;
            if !new && !self.stop.load(Ordering::SeqCst) {
                std::thread::park();
            }
            self.asleep[worker].store(false, Ordering::SeqCst);
            since = Instant::now();
        }
    }

    fn enter(&self, done: u64) -> Option<u64> {
        let mut state = self.state.load(Ordering::Acquire);
        while state & OPEN != 0 && state / JOB > done {
            match self.state.compare_exchange_weak(state, state + ENTERED, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(state / JOB),
                Err(now) => state = now,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_done_once() {
        for threads in [1, 2, 3, 7] {
            let mut pool = Pool::new(threads);
            for round in 0..300 {
                let chunks = round % 40;
                let done: Vec<AtomicUsize> = (0..chunks).map(|_| AtomicUsize::new(0)).collect();
                pool.run(chunks, &|thread, chunk| {
                    assert!(thread < threads);
                    done[chunk].fetch_add(1, Ordering::Relaxed);
                });
                assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
                if round == 150 {
                    // Long enough for the others to fall asleep.
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    #[test]
    fn a_panic_comes_back_to_the_caller_and_the_pool_lives_on() {
        let mut pool = Pool::new(3);
        let broken = catch_unwind(AssertUnwindSafe(|| pool.run(8, &|_, chunk| assert!(chunk != 5))));
        assert!(broken.is_err());
        let sum = AtomicUsize::new(0);
        pool.run(8, &|_, chunk| {
            sum.fetch_add(chunk, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 28);
    }
}
