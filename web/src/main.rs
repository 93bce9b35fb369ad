//! The module that the page and its worker load.

fn main() {
    #[cfg(target_arch = "wasm32")]
    veneer_web::start();
}
