//! What can be checked without a device: WGSL and the layout of parameters.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use veneer_core::gpu::{Kernel, kernels};

fn parse(kernel: &Kernel) -> naga::Module {
    let enable = if kernel.needs.f16 {
        "enable f16;\n"
    } else {
        ""
    };
    let source = [enable, kernel.source].concat();
    match naga::front::wgsl::parse_str(&source) {
        Ok(module) => module,
        Err(error) => panic!("{}: {}", kernel.name, error.emit_to_string(&source)),
    }
}

#[test]
fn every_kernel_is_valid_with_no_more_than_it_says_it_needs() {
    for kernel in kernels::ALL {
        // `unpack2x16float` and its like belong to the core of WGSL.
        let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
        capabilities.set(Capabilities::SUBGROUP, kernel.needs.subgroups);
        capabilities.set(Capabilities::SHADER_FLOAT16, kernel.needs.f16);
        let mut validator = Validator::new(ValidationFlags::all(), capabilities);
        if let Err(error) = validator.validate(&parse(kernel)) {
            panic!("{}: {}", kernel.name, error.emit_to_string(kernel.source));
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = kernels::ALL.iter().map(|kernel| kernel.name).collect();
    names.sort_unstable();
    let n_kernels = names.len();
    names.dedup();
    assert_eq!(names.len(), n_kernels);
}

#[test]
fn parameters_lie_as_rust_lays_them() {
    for kernel in kernels::ALL {
        let module = parse(kernel);
        let params = module
            .types
            .iter()
            .find(|(_, ty)| ty.name.as_deref() == Some("Params"));
        let Some((_, params)) = params else {
            panic!("{}: no struct `Params`", kernel.name);
        };
        let naga::TypeInner::Struct { members, span } = &params.inner else {
            panic!("{}: `Params` is no struct", kernel.name);
        };
        let fields: Vec<(&str, usize)> = members
            .iter()
            .map(|member| (member.name.as_deref().unwrap(), member.offset as usize))
            .collect();
        assert_eq!(fields, kernel.params.fields, "{}", kernel.name);
        assert_eq!(*span as usize, kernel.params.n_bytes, "{}", kernel.name);
    }
}
