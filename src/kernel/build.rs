//! Building a body: instructions appended one by one, each only once.
//!
//! In: requests for values, in any order that computes operands first. Out: a `Body` without equal
//! instructions, without arithmetic on constants and without instructions that nothing uses. It knows
//! the types of the values, so that a mistyped instruction fails where it is made.

use rustc_hash::FxHashMap;

use super::ir::{Affine, Body, BufArg, Coef, Dst, Inst, RowBuf, ScalarArg, Slot, V, Wide};
use super::verify::type_of;
use crate::ir::expand::Emit;
use crate::ir::scalar::{self, Bin, Cc, ScalarTy, Un};

/// A body in the making.
pub struct BodyBuilder {
    scalars: Vec<ScalarTy>,
    wide: Wide,
    insts: Vec<Inst>,
    types: Vec<ScalarTy>,
    known: FxHashMap<Inst, V>,
    stores: Vec<(Dst, V)>,
}

impl BodyBuilder {
    /// An empty body of a kernel with scalar arguments of these types.
    pub fn new(scalars: &[ScalarTy]) -> BodyBuilder {
        BodyBuilder {
            scalars: scalars.to_vec(),
            wide: Wide::default(),
            insts: Vec::new(),
            types: Vec::new(),
            known: FxHashMap::default(),
            stores: Vec::new(),
        }
    }

    /// The types of the scalar arguments, when more of them have become known.
    pub fn declare(&mut self, scalars: &[ScalarTy]) {
        self.scalars = scalars.to_vec();
    }

    /// What of the kernel's memory is wide, when more of it has become known.
    pub fn declare_wide(&mut self, wide: &Wide) {
        self.wide.clone_from(wide);
    }

    /// The type of a value.
    pub fn ty(&self, v: V) -> ScalarTy {
        self.types[v.0 as usize]
    }

    /// The bits of a value that is a constant.
    pub fn as_const(&self, v: V) -> Option<u64> {
        match self.insts[v.0 as usize] {
            Inst::Const(bits, _) => Some(bits),
            _ => None,
        }
    }

    /// Appends an instruction, or finds the equal one that is there. An instruction that does not fit
    /// its operands is a mistake of the compiler.
    pub fn push(&mut self, inst: Inst) -> V {
        if let Some(&v) = self.known.get(&inst) {
            return v;
        }
        let ty = match type_of(&inst, &self.types, &self.scalars, &self.wide) {
            Ok(ty) => ty,
            Err(fault) => panic!("{inst:?}: {fault}"),
        };
        let v = V(self.insts.len() as u32);
        self.insts.push(inst.clone());
        self.types.push(ty);
        self.known.insert(inst, v);
        v
    }

    /// An element of a buffer.
    pub fn load(&mut self, buf: BufArg, at: Affine) -> V {
        self.push(Inst::Load { buf, at, row: None, valid: None })
    }

    /// An i32 element of a buffer.
    pub fn load_int(&mut self, buf: BufArg, at: Affine) -> V {
        let bits = self.load(buf, at);
        self.un(Un::AsInt, bits)
    }

    /// An element of a row that is chosen by data: `row.0` times the stride `row.1` is added to `at`.
    pub fn load_row(&mut self, buf: BufArg, at: Affine, row: (V, Coef)) -> V {
        self.push(Inst::Load { buf, at, row: Some(row), valid: None })
    }

    /// An element of a buffer where a mask holds, and 0 elsewhere.
    pub fn load_where(&mut self, buf: BufArg, at: Affine, valid: V) -> V {
        self.push(Inst::Load { buf, at, row: None, valid: Some(valid) })
    }

    /// An affine function of the loop positions.
    pub fn index(&mut self, at: Affine) -> V {
        self.push(Inst::Index(at))
    }

    /// A scalar argument.
    pub fn arg(&mut self, arg: ScalarArg) -> V {
        self.push(Inst::Arg(arg))
    }

    /// The current element of a row of scratch.
    pub fn row(&mut self, row: RowBuf) -> V {
        self.push(Inst::Row(row))
    }

    /// A scalar of the row.
    pub fn slot(&mut self, slot: Slot) -> V {
        self.push(Inst::Slot(slot))
    }

    /// The current element of the tile.
    pub fn tile(&mut self) -> V {
        self.push(Inst::Tile)
    }

    /// Stores a value.
    pub fn store(&mut self, dst: Dst, v: V) {
        self.stores.push((dst, v));
    }

    /// The body; `roots` are values that are used outside of it (accumulated) and are renamed with it.
    pub fn finish(self, roots: &mut [V]) -> Body {
        let mut used = vec![false; self.insts.len()];
        for v in roots.iter().chain(self.stores.iter().map(|(_, v)| v)) {
            used[v.0 as usize] = true;
        }
        for (at, inst) in self.insts.iter().enumerate().rev() {
            if used[at] {
                inst.operands(&mut |v| used[v.0 as usize] = true);
            }
        }
        let mut renamed = vec![V(0); self.insts.len()];
        let mut insts = Vec::new();
        for (at, mut inst) in self.insts.into_iter().enumerate() {
            if used[at] {
                inst.rename(&mut |v| renamed[v.0 as usize]);
                renamed[at] = V(insts.len() as u32);
                insts.push(inst);
            }
        }
        for root in roots {
            *root = renamed[root.0 as usize];
        }
        let stores = self.stores.into_iter().map(|(dst, v)| (dst, renamed[v.0 as usize])).collect();
        Body { insts, stores }
    }
}

/// Arithmetic on constants is done here, with the reference values that backends reproduce.
impl Emit for BodyBuilder {
    type V = V;

    fn constant(&mut self, bits: u64, ty: ScalarTy) -> V {
        self.push(Inst::Const(bits, ty))
    }
    fn un(&mut self, un: Un, a: V) -> V {
        let arg = self.ty(a);
        match (self.as_const(a), &self.insts[a.0 as usize], un.ty(arg)) {
            (Some(bits), _, Some(ty)) => self.constant(un.eval(arg, bits), ty),
            // The two readings of the same bits undo each other, and so do two negations.
            (None, &Inst::Un(inner, x), Some(ty)) if self.ty(x) == ty && inverse(un) == Some(inner) => x,
            _ => self.push(Inst::Un(un, a)),
        }
    }
    fn bin(&mut self, bin: Bin, a: V, b: V) -> V {
        match (self.as_const(a), self.as_const(b), bin.ty(self.ty(a), self.ty(b))) {
            (Some(x), Some(y), Some(ty)) => self.constant(bin.eval(ty, x, y), ty),
            _ => self.push(Inst::Bin(bin, a, b)),
        }
    }
    fn fma(&mut self, a: V, b: V, c: V) -> V {
        match (self.as_const(a), self.as_const(b), self.as_const(c)) {
            (Some(x), Some(y), Some(z)) => self.constant(scalar::fma(self.ty(a), x, y, z), self.ty(a)),
            _ => self.push(Inst::Fma(a, b, c)),
        }
    }
    fn cmp(&mut self, cc: Cc, a: V, b: V) -> V {
        match (self.as_const(a), self.as_const(b)) {
            (Some(x), Some(y)) => self.constant(cc.eval(self.ty(a), x, y), ScalarTy::Mask),
            _ => self.push(Inst::Cmp(cc, a, b)),
        }
    }
    fn sel(&mut self, mask: V, a: V, b: V) -> V {
        match self.as_const(mask) {
            _ if a == b => a,
            Some(0) => b,
            Some(_) => a,
            None => self.push(Inst::Sel(mask, a, b)),
        }
    }
}

/// What a function of one value is undone by, to the bit.
fn inverse(un: Un) -> Option<Un> {
    match un {
        Un::Neg => Some(Un::Neg),
        Un::Not => Some(Un::Not),
        Un::AsInt => Some(Un::AsFloat),
        Un::AsFloat => Some(Un::AsInt),
        Un::AsI64 => Some(Un::AsF64),
        Un::AsF64 => Some(Un::AsI64),
        Un::Abs | Un::Sqrt | Un::Round | Un::Floor => None,
        Un::Exp | Un::Log | Un::Tanh | Un::Erf | Un::Sin | Un::Cos => None,
        Un::F2I | Un::I2F | Un::Widen | Un::Narrow | Un::I2D | Un::D2L | Un::L2D | Un::I2L | Un::L2I => None,
        Un::MaskToInt => None,
    }
}

impl Inst {
    /// Calls `visit` with each value the instruction reads.
    pub fn operands(&self, visit: &mut dyn FnMut(V)) {
        // One list of operands serves both: a clone is cheap beside a second list to keep in step.
        self.clone().rename(&mut |v| {
            visit(v);
            v
        });
    }

    /// Replaces each value the instruction reads.
    pub fn rename(&mut self, rename: &mut dyn FnMut(V) -> V) {
        match self {
            Inst::Const(..) | Inst::Arg(_) | Inst::Index(_) | Inst::Row(_) | Inst::Slot(_) | Inst::Tile => {}
            Inst::Un(_, a) => *a = rename(*a),
            Inst::Bin(_, a, b) | Inst::Cmp(_, a, b) => {
                *a = rename(*a);
                *b = rename(*b);
            }
            Inst::Fma(a, b, c) | Inst::Sel(a, b, c) => {
                *a = rename(*a);
                *b = rename(*b);
                *c = rename(*c);
            }
            Inst::Load { row, valid, .. } => {
                if let Some((v, _)) = row {
                    *v = rename(*v);
                }
                if let Some(v) = valid {
                    *v = rename(*v);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expand;

    fn row_of_two() -> Affine {
        Affine { base: Coef::Const(0), grid: vec![], row: Coef::Const(1), fold: Coef::Const(0) }
    }

    #[test]
    fn equal_instructions_are_one_and_unused_ones_go() {
        let mut b = BodyBuilder::new(&[]);
        let x = b.load(BufArg(0), row_of_two());
        let y = b.load(BufArg(0), row_of_two());
        assert_eq!(x, y);
        b.mul(x, y);
        let (one, two) = (b.f32(1.0), b.f32(2.0));
        let three = b.add(one, two);
        assert_eq!(b.as_const(three), Some(scalar::narrow(3.0)));
        let mut sum = [b.add(x, three)];
        let body = b.finish(&mut sum);
        assert_eq!(body.insts.len(), 3);
        assert_eq!(sum, [V(2)]);
    }

    #[test]
    fn a_tanh_is_short() {
        let mut b = BodyBuilder::new(&[]);
        let x = b.load(BufArg(0), row_of_two());
        let mut y = [expand::tanh(&mut b, x)];
        let body = b.finish(&mut y);
        assert!(body.insts.len() < 65, "{}", body.insts.len());
    }
}
