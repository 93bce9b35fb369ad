//! `veneer serve`

use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    thread,
};

use anyhow::{Context as _, Result, bail};

use super::export::Quant;
use crate::{
    export_check::CheckArgs,
    interrupt,
    model_dir::DEMO,
    site::{Offer, OfferText, Server, app_files, site_files},
};

/// Open the web app with a model and its adapters, on this machine
///
/// The page asks this server for files only: the model answers in the browser. Without options it
/// offers the embedded base. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Port; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,

    /// Address to listen at; anything but this machine's own lets others in the network read the
    /// model
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// Folder that `veneer export --to site` wrote, as it is
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "adapter", "quant", "app", "title", "system", "prompt"])]
    site: Option<PathBuf>,

    /// Model to offer: a GGUF file, a folder, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL", default_value = DEMO)]
    model: String,

    /// Adapter folder, as `veneer train` or PEFT writes it; can be given several times
    #[arg(long, value_name = "DIR")]
    adapter: Vec<PathBuf>,

    /// How the weights of a folder are stored [default: q8_0]
    #[arg(long, value_enum)]
    quant: Option<Quant>,

    /// Folder with the built web app, instead of the one in this binary
    #[arg(long, value_name = "DIR")]
    app: Option<PathBuf>,

    #[command(flatten)]
    text: OfferText,
}

pub(crate) fn run(args: ServeArgs) -> Result<()> {
    // Holds the GGUF file of a folder while it is served.
    let scratch = tempfile::tempdir().context("making a temporary folder")?;
    let files = match &args.site {
        Some(folder) => site_files(folder)?,
        None => {
            let mut files = app_files(args.app.as_deref())?;
            let offer = Offer {
                model: &args.model,
                adapters: &args.adapter,
                format: args.quant.map(Quant::format),
                name: None,
                tokenizer_pre: None,
                text: &args.text,
                check: &CheckArgs::default(),
            };
            files.extend(offer.files(scratch.path())?);
            files
        }
    };
    let server = Server::open(files, args.host, args.port)?;
    println!("Veneer is at {} (Ctrl-C ends it)", server.url()?);
    std::io::stdout().flush()?;
    let serving = thread::spawn(move || server.run());
    interrupt::wait()?;
    if serving.is_finished() {
        // It only ends where it failed.
        let ended = serving.join();
        return ended.unwrap_or_else(|_| bail!("the server has stopped"));
    }
    Ok(())
}
