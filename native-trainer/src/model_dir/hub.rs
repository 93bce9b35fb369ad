//! Models of the Hugging Face Hub, in the cache that the Python libraries use too.
//!
//! `hf-hub` knows the cache's layout and continues a download that was cut. Around it stand here:
//! which files a model needs, what the variables `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`,
//! `HF_TOKEN` and `HF_HUB_OFFLINE` say, retries, the check of what arrived, and errors that say
//! what to do.

mod download;
mod listing;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hf_hub::{Cache, Repo, RepoType, api::sync::ApiBuilder};

use download::Source;
use listing::{Listing, Wanted};

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
const DEFAULT_REVISION: &str = "main";

/// Attempts at a request that fails for reasons that may pass.
const ATTEMPTS: u32 = 5;

/// `organisation/name`, with `@revision` (a branch, a tag or a commit) where it is not `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) id: String,
    pub(crate) revision: String,
}

impl Repository {
    /// `None` when the text cannot be the name of a repository.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, revision) = text.split_once('@').unwrap_or((text, DEFAULT_REVISION));
        let (organisation, name) = id.split_once('/')?;
        let is_name = |part: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && !part.starts_with(['.', '-']) && part.chars().all(allowed)
        };
        let is_revision = |part: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            !part.is_empty() && !part.contains("..") && part.chars().all(allowed)
        };
        (is_name(organisation) && is_name(name) && is_revision(revision)).then(|| Self {
            id: id.into(),
            revision: revision.into(),
        })
    }
}

/// Where models come from and where they are kept.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    pub(crate) endpoint: String,
    pub(crate) cache: PathBuf,
    pub(crate) offline: bool,
    token: Option<String>,
    /// Waiting time before the second attempt; it doubles from there.
    first_wait: std::time::Duration,
}

impl Hub {
    pub(crate) fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name| {
            variable(name)
                .map(|text| text.trim().to_owned())
                .filter(|t| !t.is_empty())
        };
        let home = match set("HF_HOME") {
            Some(home) => PathBuf::from(home),
            None => set("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| dirs::home_dir().map(|home| home.join(".cache")))
                .context("there is no home folder to keep models in: set HF_HOME")?
                .join("huggingface"),
        };
        let cache = set("HF_HUB_CACHE").map_or_else(|| home.join("hub"), PathBuf::from);
        let stored_token = || Cache::new(home.join("hub")).token();
        let truth =
            |text: String| matches!(text.to_lowercase().as_str(), "1" | "true" | "yes" | "on");
        Ok(Self {
            endpoint: set("HF_ENDPOINT").map_or(DEFAULT_ENDPOINT.into(), |url| {
                url.trim_end_matches('/').to_owned()
            }),
            cache,
            offline: set("HF_HUB_OFFLINE").is_some_and(truth),
            token: set("HF_TOKEN").or_else(stored_token),
            first_wait: std::time::Duration::from_secs(1),
        })
    }

    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The folder of the model's files, downloaded as far as they are not here.
    pub(crate) fn fetch(&self, repository: &Repository) -> Result<PathBuf> {
        let cached = self.cached(repository);
        if self.offline {
            return cached.with_context(|| {
                format!(
                    "HF_HUB_OFFLINE is set and `{}` is not in {}",
                    repository.id,
                    self.cache.display()
                )
            });
        }
        match self.download(repository) {
            Ok(folder) => Ok(folder),
            // Only the way to the Hub is down: the copy of last time will do, and one should know.
            Err(Failure::Unreachable(error)) => match cached {
                Some(folder) => {
                    eprintln!(
                        "note: {error}; using the copy of `{}` in the cache",
                        repository.id
                    );
                    Ok(folder)
                }
                None => bail!("{error}"),
            },
            Err(Failure::Other(error)) => Err(error),
        }
    }

    /// What the cache holds under the revision, when it is complete enough to be a model.
    fn cached(&self, repository: &Repository) -> Option<PathBuf> {
        let cache = Cache::new(self.cache.clone()).repo(repo(repository));
        let config = cache.get(super::CONFIG)?;
        let folder = config.parent()?.to_path_buf();
        let model = super::ModelDir {
            name: repository.id.clone(),
            path: folder,
        };
        model.safetensors_files().is_ok().then_some(model.path)
    }

    fn download(&self, repository: &Repository) -> Result<PathBuf, Failure> {
        let api = ApiBuilder::from_cache(Cache::new(self.cache.clone()))
            .with_endpoint(self.endpoint.clone())
            .with_token(self.token.clone())
            .with_user_agent("veneer", env!("CARGO_PKG_VERSION"))
            .build()
            .context("preparing the connection to the Hub")?;
        let cache = Cache::new(self.cache.clone()).repo(repo(repository));
        let source = Source {
            api,
            repo: repo(repository),
            cache,
        };

        let listing = self.attempt(repository, "the list of files", || Listing::get(&source))?;
        let small = listing.small_files()?;
        let folder = source.cache.pointer_path(&listing.commit);
        self.bring(repository, &source, &folder, &small)?;
        // Which shards there are is known once the index is here.
        let weights = listing.weights(&folder)?;
        self.bring(repository, &source, &folder, &weights)?;
        Ok(folder)
    }

    /// Download those of the files that the folder lacks.
    fn bring(
        &self,
        repository: &Repository,
        source: &Source,
        folder: &Path,
        files: &[Wanted],
    ) -> Result<(), Failure> {
        let missing: Vec<&Wanted> = files
            .iter()
            .filter(|file| !folder.join(&file.name).exists())
            .collect();
        if missing.iter().any(|file| file.is_weights()) {
            let total = missing.iter().filter_map(|file| file.size).sum();
            eprintln!(
                "Fetching `{}` ({}) from {} into {}",
                repository.id,
                indicatif::HumanBytes(total),
                self.endpoint,
                self.cache.display()
            );
        }
        for file in missing {
            self.attempt(repository, &file.name, || source.bring(&file.name, folder))?;
        }
        Ok(())
    }

    /// Do it again where it may help; say what to do where it does not.
    fn attempt<T>(
        &self,
        repository: &Repository,
        what: &str,
        action: impl Fn() -> Result<T, download::Error>,
    ) -> Result<T, Failure> {
        let mut wait = self.first_wait;
        let mut attempts_left = ATTEMPTS;
        loop {
            let error = match action() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            attempts_left -= 1;
            if attempts_left == 0 || !error.may_pass() {
                return Err(self.failure(repository, what, error));
            }
            eprintln!(
                "note: {what}: {error}; trying again in {} s",
                wait.as_secs()
            );
            std::thread::sleep(wait);
            wait *= 2;
        }
    }

    fn failure(&self, repository: &Repository, what: &str, error: download::Error) -> Failure {
        let Repository { id, revision } = repository;
        let endpoint = &self.endpoint;
        let text = match error.status() {
            Some(401 | 403) if self.token.is_none() => format!(
                "{endpoint} does not show `{id}` to everybody, or there is no such model; if it is \
                 there, accept its terms on {endpoint}/{id} and set HF_TOKEN to your access token"
            ),
            Some(401 | 403) => format!(
                "{endpoint} refuses `{id}` to the access token in use; accept the model's terms on \
                 {endpoint}/{id} and check HF_TOKEN"
            ),
            Some(404) => format!("{endpoint} has no model `{id}` with a revision `{revision}`"),
            _ if error.is_connection() => {
                let error = format!(
                    "{what} of `{id}` could not be fetched from {endpoint}: {error} (what arrived \
                     is kept and the next try goes on from there; HF_ENDPOINT names a mirror)"
                );
                return Failure::Unreachable(error);
            }
            _ => format!("{what} of `{id}` could not be fetched from {endpoint}: {error}"),
        };
        Failure::Other(anyhow::anyhow!(text))
    }
}

/// How a download ended that did not succeed.
#[derive(Debug)]
enum Failure {
    /// No connection: a copy in the cache may stand in.
    Unreachable(String),
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

fn repo(repository: &Repository) -> Repo {
    Repo::with_revision(
        repository.id.clone(),
        RepoType::Model,
        repository.revision.clone(),
    )
}

#[cfg(test)]
mod tests;
