//! Choosing and opening an adapter: the one place where a browser differs from a native driver.
//!
//! wgpu's browser backend neither reports nor requests the WebGPU feature `subgroups`. There the
//! adapter is asked directly, and while wgpu opens the device the request passes through a
//! function that adds the feature. Delete this when wgpu maps it.

use super::{
    error::GpuError,
    kernel::Kernel,
    profile::{GpuInfo, GpuLimits, GpuOptions, GpuProfile},
};

pub(super) struct Opened {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) info: GpuInfo,
}

/// An adapter before it is opened.
struct Found {
    adapter: wgpu::Adapter,
    name: String,
    offers: GpuProfile,
}

pub(super) async fn open(options: &GpuOptions) -> Result<Opened, GpuError> {
    // Beside burn in one binary wgpu has OpenGL too, which is no WebGPU device and prints to stderr.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let found = platform::find(&instance, options).await?;
    let profile = choose_profile(&found, options.profile)?;
    let adapter_limits = found.adapter.limits();
    let required_limits = if options.core_limits {
        wgpu::Limits::default()
    } else {
        adapter_limits
    };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("veneer"),
        required_features: features(&found, profile, options.timestamps)?,
        required_limits,
        ..Default::default()
    };
    let opened = platform::request(&found, &descriptor, profile).await;
    let (device, queue) = opened.map_err(|error| GpuError::Open {
        adapter: found.name.clone(),
        detail: error.to_string(),
    })?;
    let info = describe(&found, &device, profile);
    Ok(Opened {
        device,
        queue,
        info,
    })
}

/// The source as the platform's compiler wants it.
pub(super) fn wgsl(kernel: &Kernel) -> String {
    let f16 = if kernel.needs.f16 {
        "enable f16;\n"
    } else {
        ""
    };
    let subgroups = if kernel.needs.subgroups {
        platform::ENABLE_SUBGROUPS
    } else {
        ""
    };
    [f16, subgroups, kernel.source].concat()
}

fn choose_profile(found: &Found, wanted: Option<GpuProfile>) -> Result<GpuProfile, GpuError> {
    let profile = wanted.unwrap_or(found.offers);
    if found.offers.covers(profile) {
        return Ok(profile);
    }
    Err(GpuError::MissingFeature {
        adapter: found.name.clone(),
        feature: profile.name(),
    })
}

fn features(
    found: &Found,
    profile: GpuProfile,
    timestamps: bool,
) -> Result<wgpu::Features, GpuError> {
    let mut features = wgpu::Features::empty();
    // In a browser wgpu drops what it does not know: `platform::request` adds it.
    features.set(wgpu::Features::SUBGROUP, profile.subgroups);
    features.set(wgpu::Features::SHADER_F16, profile.f16);
    if timestamps {
        if !found
            .adapter
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY)
        {
            return Err(GpuError::MissingFeature {
                adapter: found.name.clone(),
                feature: "timestamp-query",
            });
        }
        features |= wgpu::Features::TIMESTAMP_QUERY;
    }
    Ok(features)
}

fn describe(found: &Found, device: &wgpu::Device, profile: GpuProfile) -> GpuInfo {
    let adapter = found.adapter.get_info();
    let limits = device.limits();
    GpuInfo {
        name: found.name.clone(),
        backend: format!("{:?}", adapter.backend),
        is_software: adapter.device_type == wgpu::DeviceType::Cpu,
        profile,
        limits: GpuLimits {
            max_buffer_bytes: limits.max_buffer_size,
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            binding_alignment: limits.min_storage_buffer_offset_alignment.into(),
            max_workgroups: limits.max_compute_workgroups_per_dimension,
            max_invocations: limits
                .max_compute_invocations_per_workgroup
                .min(limits.max_compute_workgroup_size_x),
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
            max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
            min_subgroup_size: adapter.subgroup_min_size,
            max_subgroup_size: adapter.subgroup_max_size,
        },
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod platform {
    use super::{Found, GpuError, GpuOptions, GpuProfile};

    /// naga knows subgroups by the device's feature and refuses the line of the standard.
    pub(super) const ENABLE_SUBGROUPS: &str = "";

    /// The fastest kind of adapter first; software is better than nothing.
    pub(super) async fn find(
        instance: &wgpu::Instance,
        options: &GpuOptions,
    ) -> Result<Found, GpuError> {
        let adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
        if adapters.is_empty() {
            return Err(GpuError::NoAdapter {
                detail: "no driver for Vulkan, Metal or Direct3D 12".to_owned(),
            });
        }
        let names: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
        let wanted = options.adapter.as_deref().unwrap_or_default();
        let chosen = adapters
            .into_iter()
            .filter(|adapter| contains_ignoring_case(&adapter.get_info().name, wanted))
            .min_by_key(|adapter| rank(adapter.get_info().device_type));
        let Some(adapter) = chosen else {
            return Err(GpuError::UnknownAdapter {
                wanted: wanted.to_owned(),
                found: names.join(", "),
            });
        };
        let features = adapter.features();
        Ok(Found {
            name: adapter.get_info().name,
            offers: GpuProfile {
                subgroups: features.contains(wgpu::Features::SUBGROUP),
                f16: features.contains(wgpu::Features::SHADER_F16),
            },
            adapter,
        })
    }

    pub(super) async fn request(
        found: &Found,
        descriptor: &wgpu::DeviceDescriptor<'_>,
        _profile: GpuProfile,
    ) -> Result<(wgpu::Device, wgpu::Queue), wgpu::RequestDeviceError> {
        found.adapter.request_device(descriptor).await
    }

    fn contains_ignoring_case(name: &str, part: &str) -> bool {
        name.to_lowercase().contains(&part.to_lowercase())
    }

    fn rank(kind: wgpu::DeviceType) -> u8 {
        match kind {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod platform {
    use js_sys::{Array, Function, Object, Promise, Reflect};
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    use wasm_bindgen_futures::JsFuture;

    use super::{Found, GpuError, GpuOptions, GpuProfile};

    pub(super) const ENABLE_SUBGROUPS: &str = "enable subgroups;\n";

    /// Page and worker both have `navigator`.
    fn navigator_gpu() -> Result<Object, GpuError> {
        Reflect::get(&js_sys::global(), &"navigator".into())
            .and_then(|navigator| Reflect::get(&navigator, &"gpu".into()))
            .ok()
            .and_then(|gpu| gpu.dyn_into().ok())
            .ok_or_else(|| no_adapter("this browser has no WebGPU, or the page is not secure"))
    }

    fn no_adapter(detail: &str) -> GpuError {
        GpuError::NoAdapter {
            detail: detail.to_owned(),
        }
    }

    fn javascript(error: &JsValue) -> GpuError {
        no_adapter(&format!("{error:?}"))
    }

    fn call(object: &JsValue, method: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
        Reflect::get(object, &method.into())?
            .dyn_into::<Function>()?
            .call1(object, argument)
    }

    /// Asks the browser itself, and hands wgpu the same adapter with a `requestDevice` of ours.
    pub(super) async fn find(
        instance: &wgpu::Instance,
        options: &GpuOptions,
    ) -> Result<Found, GpuError> {
        let gpu = navigator_gpu()?;
        let request = Object::new();
        Reflect::set(
            &request,
            &"powerPreference".into(),
            &"high-performance".into(),
        )
        .map_err(|error| javascript(&error))?;
        let promise = call(&gpu, "requestAdapter", &request).map_err(|error| javascript(&error))?;
        let handle = JsFuture::from(Promise::from(promise))
            .await
            .map_err(|error| javascript(&error))?;
        if handle.is_null() || handle.is_undefined() {
            return Err(no_adapter("the browser offers none on this machine"));
        }
        let offers = GpuProfile {
            subgroups: has_feature(&handle, "subgroups"),
            f16: has_feature(&handle, "shader-f16"),
        };
        let subgroups = options.profile.unwrap_or(offers).subgroups && offers.subgroups;
        let device = ask_for_subgroups(&handle, subgroups).map_err(|error| javascript(&error))?;
        let answer = answer_with(&gpu, &handle).map_err(|error| javascript(&error))?;
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions::default())
            .await;
        answer.forget_it(&gpu, "requestAdapter");
        // The device is requested once and the adapter is spent then: it may keep its method.
        device.keep();
        let adapter = adapter.map_err(|error| no_adapter(&error.to_string()))?;
        Ok(Found {
            adapter,
            name: name_of(&handle),
            offers,
        })
    }

    pub(super) async fn request(
        found: &Found,
        descriptor: &wgpu::DeviceDescriptor<'_>,
        _profile: GpuProfile,
    ) -> Result<(wgpu::Device, wgpu::Queue), wgpu::RequestDeviceError> {
        found.adapter.request_device(descriptor).await
    }

    /// A method of ours on a browser's object, in front of the one of its class.
    struct Method(Closure<dyn FnMut(JsValue) -> JsValue>);

    impl Method {
        fn put(
            object: &JsValue,
            name: &str,
            body: impl FnMut(JsValue) -> JsValue + 'static,
        ) -> Result<Self, JsValue> {
            let closure = Closure::new(body);
            Reflect::set(object, &name.into(), closure.as_ref())?;
            Ok(Self(closure))
        }

        fn forget_it(self, object: &Object, name: &str) {
            // An own property of ours can be deleted; were it left, later requests would fail.
            Reflect::delete_property(object, &name.into()).ok();
            drop(self.0);
        }

        fn keep(self) {
            self.0.forget();
        }
    }

    /// `adapter.requestDevice(descriptor)` with `subgroups` among the features.
    fn ask_for_subgroups(adapter: &JsValue, wanted: bool) -> Result<Method, JsValue> {
        let request: Function = Reflect::get(adapter, &"requestDevice".into())?.dyn_into()?;
        let this = adapter.clone();
        Method::put(adapter, "requestDevice", move |descriptor| {
            if wanted {
                let key = "requiredFeatures".into();
                let features = Reflect::get(&descriptor, &key)
                    .ok()
                    .and_then(|features| features.dyn_into::<Array>().ok())
                    .unwrap_or_default();
                features.push(&"subgroups".into());
                // A plain object takes any property.
                Reflect::set(&descriptor, &key, &features).ok();
            }
            request
                .call1(&this, &descriptor)
                .unwrap_or_else(|error| Promise::reject(&error).into())
        })
    }

    /// `navigator.gpu.requestAdapter()` gives this adapter.
    fn answer_with(gpu: &Object, adapter: &JsValue) -> Result<Method, JsValue> {
        let adapter = adapter.clone();
        Method::put(gpu, "requestAdapter", move |_options| {
            Promise::resolve(&adapter).into()
        })
    }

    fn has_feature(adapter: &JsValue, name: &str) -> bool {
        Reflect::get(adapter, &"features".into())
            .and_then(|features| call(&features, "has", &name.into()))
            .is_ok_and(|has| has.is_truthy())
    }

    /// Browsers say little: a description, or vendor and architecture.
    fn name_of(adapter: &JsValue) -> String {
        let text = |field: &str| {
            Reflect::get(adapter, &"info".into())
                .and_then(|info| Reflect::get(&info, &field.into()))
                .ok()
                .and_then(|text| text.as_string())
                .unwrap_or_default()
        };
        let described = text("description");
        let parts = [text("vendor"), text("architecture")];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|p| !p.is_empty())
            .collect();
        match (described.is_empty(), parts.is_empty()) {
            (false, _) => described,
            (true, false) => parts.join(" "),
            (true, true) => "GPU".to_owned(),
        }
    }
}
