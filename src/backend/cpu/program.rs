//! The CPU backend: compiles each kernel once, whatever program it is in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustc_hash::{FxHashMap, FxHashSet};

use super::jit::{CompiledKernel, Compiler};
use super::lock;
use super::pool::Pool;
use super::steps::LoadedProgram;
use crate::backend::{Backend, Loaded, Stats};
use crate::kernel::ir::{Kernel, Program};
use crate::kernel::{Fault, verify};

/// The CPU backend.
pub struct Cpu {
    compiler: Compiler,
    known: Mutex<FxHashMap<Arc<Kernel>, CompiledKernel>>,
    compiled: AtomicU64,
    pool: Arc<Mutex<Pool>>,
}

impl Cpu {
    /// With so many threads; all programs share them.
    pub fn new(threads: usize) -> Result<Cpu, Fault> {
        Ok(Cpu {
            compiler: Compiler::new()?,
            known: Mutex::default(),
            compiled: AtomicU64::new(0),
            pool: Arc::new(Mutex::new(Pool::new(threads))),
        })
    }

    /// The code of kernels, compiled now unless an equal kernel was compiled before.
    pub fn kernels(&self, kernels: &[Kernel]) -> Result<Vec<CompiledKernel>, Fault> {
        let mut known = lock(&self.known);
        let mut seen = FxHashSet::default();
        let new = kernels.iter().filter(|kernel| !known.contains_key(*kernel) && seen.insert(*kernel));
        let missing: Vec<Arc<Kernel>> = new.cloned().map(Arc::new).collect();
        missing.iter().try_for_each(|kernel| verify::kernel(kernel))?;
        if !missing.is_empty() {
            let code = self.compiler.compile(&missing)?;
            self.compiled.fetch_add(missing.len() as u64, Ordering::Relaxed);
            known.extend(missing.into_iter().zip(code));
        }
        Ok(kernels.iter().map(|kernel| known[kernel].clone()).collect())
    }

    /// The text of a kernel's CLIF.
    pub fn clif(&self, kernel: &Kernel) -> String {
        self.compiler.clif(kernel)
    }

    /// The text of a kernel's machine code.
    pub fn asm(&self, kernel: &Kernel) -> Result<String, Fault> {
        self.compiler.asm(kernel)
    }
}

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn compile(&self, program: &Arc<Program>) -> Result<Box<dyn Loaded>, Fault> {
        verify::program(program)?;
        let kernels = self.kernels(&program.kernels)?;
        Ok(Box::new(LoadedProgram::new(program.clone(), kernels, self.pool.clone())))
    }

    fn stats(&self) -> Stats {
        Stats { compiled: self.compiled.load(Ordering::Relaxed) }
    }
}
