//! The module that the studio's worker loads.

fn main() {
    #[cfg(target_arch = "wasm32")]
    veneer_web::start_studio();
}
