//! Rotations: `rope_scaling` of transformers 4, `rope_parameters` of transformers 5.

use super::{ArchError, fields::Fields};
use crate::arch::{RopeScaling, RopeSpec};

/// What a family's rotation is where its config.json says nothing.
pub(super) struct RopeDefaults {
    pub(super) theta: f64,
    /// The field with the base in transformers 4.
    pub(super) theta_key: &'static str,
    /// The share of a head that is rotated, and the field that says it in transformers 4; `None`
    /// where the family always rotates whole heads.
    pub(super) rotated_share: Option<(f64, &'static str)>,
    /// `yarn` was once a name of `longrope`.
    pub(super) yarn_is_longrope: bool,
    /// `original_max_position_embeddings` where nothing says it.
    pub(super) original_max_positions: Option<usize>,
}

pub(super) const WHOLE_HEADS: RopeDefaults = RopeDefaults {
    theta: 10_000.0,
    theta_key: "rope_theta",
    rotated_share: None,
    yarn_is_longrope: false,
    original_max_positions: None,
};

/// The sizes that a rotation depends on.
#[derive(Clone, Copy)]
pub(super) struct RopeSizes {
    pub(super) head_dim: usize,
    pub(super) max_positions: usize,
}

/// The rotation of all layers, or of those of one type where config.json has them apart.
pub(super) fn read_rope(
    fields: &Fields<'_>,
    layer_type: Option<&str>,
    sizes: RopeSizes,
    defaults: &RopeDefaults,
) -> Result<RopeSpec, ArchError> {
    let both = [
        fields.inside("rope_parameters")?,
        fields.inside("rope_scaling")?,
    ];
    let mut own = both.into_iter().flatten().next();
    if let (Some(types), Some(layer_type)) = (&own, layer_type)
        && let Some(of_type) = types.inside(layer_type)?
    {
        own = Some(of_type);
    }
    let top_theta = fields.optional_positive(defaults.theta_key)?;
    let own_theta = own.as_ref().map(|own| own.optional_positive("rope_theta"));
    let theta = own_theta.transpose()?.flatten().or(top_theta);
    let n_rotated = n_rotated(fields, own.as_ref(), sizes, defaults)?;
    let mut rope = RopeSpec::plain(theta.unwrap_or(defaults.theta), n_rotated);
    if let Some(own) = own {
        let reader = Reader {
            fields,
            own,
            sizes,
            n_rotated,
        };
        (rope.scaling, rope.attention_factor) = reader.scaling(defaults)?;
    }
    Ok(rope)
}

fn n_rotated(
    fields: &Fields<'_>,
    own: Option<&Fields<'_>>,
    sizes: RopeSizes,
    defaults: &RopeDefaults,
) -> Result<usize, ArchError> {
    const SHARE: &str = "partial_rotary_factor";
    let nested = match own {
        Some(own) => own.optional_positive(SHARE)?,
        None => None,
    };
    let (share, key) = match defaults.rotated_share {
        None if nested.is_none_or(|share| share == 1.0) => (1.0, SHARE),
        None => {
            let found = nested.unwrap_or_default().to_string();
            return Err(fields.field(SHARE, found, "1: this family rotates whole heads"));
        }
        Some((default, key)) => {
            // Where both are there, transformers takes the family's own.
            let both = [key, SHARE].map(|key| fields.optional_positive(key));
            let [own, common] = both;
            let top = own?.or(common?);
            (nested.or(top).unwrap_or(default), key)
        }
    };
    let n_rotated = (sizes.head_dim as f64 * share) as usize;
    if n_rotated >= 2 && n_rotated.is_multiple_of(2) && n_rotated <= sizes.head_dim {
        return Ok(n_rotated);
    }
    if share == 1.0 {
        let found = sizes.head_dim.to_string();
        return Err(fields.field("head_dim", found, "a positive even number"));
    }
    let found = format!("{share}, {n_rotated} of {} values a head", sizes.head_dim);
    Err(fields.field(key, found, "a share that rotates an even number of values"))
}

/// What a kind of scaling is called now.
fn modern<'t>(kind: &'t str, defaults: &RopeDefaults) -> &'t str {
    match kind {
        "su" => "longrope",
        "yarn" if defaults.yarn_is_longrope => "longrope",
        kind => kind,
    }
}

struct Reader<'a> {
    fields: &'a Fields<'a>,
    own: Fields<'a>,
    sizes: RopeSizes,
    n_rotated: usize,
}

impl Reader<'_> {
    /// The scaling, and what cosines and sines are multiplied by.
    fn scaling(&self, defaults: &RopeDefaults) -> Result<(RopeScaling, f64), ArchError> {
        let own = &self.own;
        let factor = || own.positive("factor");
        let scaling = match self.kind(defaults)? {
            "default" => RopeScaling::None,
            "linear" => RopeScaling::Linear { factor: factor()? },
            "dynamic" if self.n_rotated > 2 => RopeScaling::Dynamic {
                factor: factor()?,
                original_max_positions: self.sizes.max_positions,
            },
            "llama3" => RopeScaling::Llama3 {
                factor: factor()?,
                low_freq_factor: own.positive("low_freq_factor")?,
                high_freq_factor: own.positive("high_freq_factor")?,
                original_max_positions: own.positive("original_max_position_embeddings")?,
            },
            "yarn" => return self.yarn(),
            "longrope" => return self.longrope(defaults),
            other => {
                let expected = "default, linear, dynamic, yarn, llama3 or longrope";
                return Err(own.field("rope_type", format!("`{other}`"), expected));
            }
        };
        Ok((scaling, 1.0))
    }

    fn kind(&self, defaults: &RopeDefaults) -> Result<&str, ArchError> {
        let own = &self.own;
        // `type` is the older spelling.
        let kinds = [own.text("rope_type")?, own.text("type")?];
        let [new, old] = kinds.map(|kind| kind.map(|kind| modern(kind, defaults)));
        match (new, old) {
            (Some(new), Some(old)) if new != old => {
                let expected = format!("`{new}`, as `rope_type` says");
                Err(own.field("type", format!("`{old}`"), &expected))
            }
            (new, old) => Ok(new.or(old).unwrap_or("default")),
        }
    }

    fn yarn(&self) -> Result<(RopeScaling, f64), ArchError> {
        let own = &self.own;
        let factor = own.positive("factor")?;
        let original = own.optional_positive("original_max_position_embeddings")?;
        let scaling = RopeScaling::Yarn {
            factor,
            beta_fast: own.positive_or("beta_fast", 32.0)?,
            beta_slow: own.positive_or("beta_slow", 1.0)?,
            original_max_positions: original.unwrap_or(self.sizes.max_positions as f64),
            truncate: own.flag_or("truncate", true)?,
        };
        let magnitude = |mscale: f64| match factor > 1.0 {
            true => 0.1 * mscale * factor.ln() + 1.0,
            false => 1.0,
        };
        let mscales = [
            own.optional_positive("mscale")?,
            own.optional_positive("mscale_all_dim")?,
        ];
        let computed = match mscales {
            [Some(mscale), Some(all)] => magnitude(mscale) / magnitude(all),
            _ => magnitude(1.0),
        };
        Ok((scaling, own.positive_or("attention_factor", computed)?))
    }

    fn longrope(&self, defaults: &RopeDefaults) -> Result<(RopeScaling, f64), ArchError> {
        const ORIGINAL: &str = "original_max_position_embeddings";
        let own = &self.own;
        for key in ["short_mscale", "long_mscale"] {
            if let Some(found) = own.optional_positive(key)? {
                return Err(own.field(key, found.to_string(), "no such factor"));
            }
        }
        let max_positions = self.sizes.max_positions;
        let original = match self.fields.optional_count(ORIGINAL)? {
            Some(original) => Some(original),
            None => own
                .optional_count(ORIGINAL)?
                .or(defaults.original_max_positions),
        };
        let factor = match original {
            Some(original) => max_positions as f64 / original as f64,
            None => own.positive("factor")?,
        };
        let original_max_positions = original.unwrap_or(max_positions);
        let computed = match factor > 1.0 {
            true => (1.0 + factor.ln() / (original_max_positions as f64).ln()).sqrt(),
            false => 1.0,
        };
        let n_pairs = self.n_rotated / 2;
        let scaling = RopeScaling::LongRope {
            short_factors: own.positives("short_factor", n_pairs)?,
            long_factors: own.positives("long_factor", n_pairs)?,
            original_max_positions,
        };
        Ok((scaling, own.positive_or("attention_factor", computed)?))
    }
}
