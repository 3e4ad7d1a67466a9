//! CLIF to executable memory.
//!
//! In: verified kernels. Out: `CompiledKernel`s, each of which owns the memory its code is in. All
//! kernels of one request share one piece of memory, written once and then made executable.
#![expect(unsafe_code, reason = "code memory is freed, and its addresses become functions")]

use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleReloc, default_libcall_names};
use rayon::prelude::*;

use super::emit::{self, Args, Splat};
use crate::kernel::Fault;
use crate::kernel::ir::Kernel;

/// The machine code of a kernel: rows `lo..hi`, elements `first..end`.
pub(super) type Entry = unsafe extern "C" fn(args: *const Args, lo: i64, hi: i64, first: i64, end: i64);

/// A kernel as machine code.
#[derive(Clone)]
pub struct CompiledKernel {
    pub(super) entry: Entry,
    /// The kernel it was made from: what `call` checks against.
    pub(super) kernel: Arc<Kernel>,
    pub(super) constants: Arc<[Splat]>,
    /// Keeps `entry` alive.
    _code: Arc<Code>,
}

/// A kernel on its way into memory.
struct Compiled {
    context: Context,
    relocs: Vec<ModuleReloc>,
    constants: Arc<[Splat]>,
}

/// Executable memory.
struct Code {
    module: ManuallyDrop<Mutex<JITModule>>,
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: this is the only place that takes the module, and a drop runs once.
        let module = unsafe { ManuallyDrop::take(&mut self.module) };
        let module = module.into_inner().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: every `CompiledKernel` holds this `Code`, so none is left, and one that runs is
        // borrowed for as long as it does.
        unsafe { module.free_memory() };
    }
}

/// Makes code for the machine it runs on.
pub struct Compiler {
    isa: OwnedTargetIsa,
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault(error.to_string())
}

impl Compiler {
    /// For this machine, with all its vector instructions.
    pub fn new() -> Result<Compiler, Fault> {
        let mut flags = settings::builder();
        let verify = if cfg!(debug_assertions) { "true" } else { "false" };
        // The optimizer would gather the constants of a body in registers that it then spills in every
        // turn of the loop; `emit` keeps loops free of what can leave them, and compiles twice as fast.
        for (name, value) in [
            ("opt_level", "none"),
            ("enable_verifier", verify),
            ("is_pic", "false"),
            ("unwind_info", "false"),
            ("enable_probestack", "false"),
        ] {
            flags.set(name, value).map_err(fault)?;
        }
        let isa = cranelift_native::builder().map_err(fault)?;
        Ok(Compiler { isa: isa.finish(settings::Flags::new(flags)).map_err(fault)? })
    }

    /// The text of a kernel's CLIF.
    pub fn clif(&self, kernel: &Kernel) -> String {
        emit::function(kernel, &*self.isa, &mut FunctionBuilderContext::new()).0.display().to_string()
    }

    /// The text of a kernel's machine code, an instruction a line.
    pub fn asm(&self, kernel: &Kernel) -> Result<String, Fault> {
        let (function, _) = emit::function(kernel, &*self.isa, &mut FunctionBuilderContext::new());
        let mut context = Context::for_function(function);
        context.set_disasm(true);
        let compiled = context.compile(&*self.isa, &mut ControlPlane::default());
        let code = compiled.map_err(|error| Fault(format!("{:?}", error.inner)))?;
        code.vcode.clone().ok_or_else(|| Fault("no text of the code".into()))
    }

    /// Compiles kernels, several at a time.
    pub fn compile(&self, kernels: &[Arc<Kernel>]) -> Result<Vec<CompiledKernel>, Fault> {
        let compiled: Vec<Compiled> = if kernels.len() > 2 {
            let scratch = || (FunctionBuilderContext::new(), ControlPlane::default());
            kernels
                .par_iter()
                .map_init(scratch, |(builder, control), kernel| self.code(kernel, builder, control))
                .collect::<Result<_, Fault>>()?
        } else {
            let (mut builder, mut control) = (FunctionBuilderContext::new(), ControlPlane::default());
            kernels.iter().map(|kernel| self.code(kernel, &mut builder, &mut control)).collect::<Result<_, Fault>>()?
        };
        let mut module = JITModule::new(JITBuilder::with_isa(self.isa.clone(), default_libcall_names()));
        let mut ids = Vec::with_capacity(kernels.len());
        for (at, Compiled { context, relocs, .. }) in compiled.iter().enumerate() {
            let name = format!("k{at}");
            let id = module.declare_function(&name, Linkage::Local, &context.func.signature).map_err(fault)?;
            let code = context.compiled_code().ok_or_else(|| Fault("no code".into()))?;
            let alignment = u64::from(code.buffer.alignment).max(64);
            module.define_function_bytes(id, alignment, code.buffer.data(), relocs).map_err(fault)?;
            ids.push(id);
        }
        module.finalize_definitions().map_err(fault)?;
        let entries: Vec<*const u8> = ids.iter().map(|id| module.get_finalized_function(*id)).collect();
        let code = Arc::new(Code { module: ManuallyDrop::new(Mutex::new(module)) });
        let entry = |(address, (kernel, compiled)): (*const u8, (&Arc<Kernel>, Compiled))| {
            // SAFETY: the address is that of a finalized function, and `emit::function` gives it this
            // signature with the calling convention of the host.
            let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
            CompiledKernel { entry, kernel: kernel.clone(), constants: compiled.constants, _code: code.clone() }
        };
        Ok(entries.into_iter().zip(kernels.iter().zip(compiled)).map(entry).collect())
    }

    fn code(
        &self,
        kernel: &Kernel,
        builder: &mut FunctionBuilderContext,
        control: &mut ControlPlane,
    ) -> Result<Compiled, Fault> {
        let (function, constants) = emit::function(kernel, &*self.isa, builder);
        let mut context = Context::for_function(function);
        context.compile(&*self.isa, control).map_err(|error| Fault(format!("{:?}", error.inner)))?;
        let code = context.compiled_code().ok_or_else(|| Fault("no code".into()))?;
        // Library calls stand for instructions that the machine lacks (fused multiply-add); a relocation
        // by function id is never made, since no kernel calls another.
        let none = cranelift_module::FuncId::from_u32(0);
        let relocs = code.buffer.relocs().iter();
        let relocs = relocs.map(|reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, none)).collect();
        Ok(Compiled { context, relocs, constants: constants.into() })
    }
}
