//! A record as the page shows and edits it.

use crate::{
    protocol::studio::{Content, ContentBody, Turn, TurnRole},
    text::{Body, Message, Record, Role},
};

/// What a record says.
pub fn content(record: Record) -> Content {
    let body = match record.body {
        Body::Chat(chat) => ContentBody::Chat {
            turns: chat.messages.into_iter().map(turn).collect(),
            tools: chat.tools,
        },
        Body::Text { prompt, completion } => ContentBody::Text { prompt, completion },
        Body::Tokens(encoded) => ContentBody::Tokens {
            input_ids: encoded.input_ids,
            labels: encoded.labels,
        },
    };
    Content {
        body,
        extra: record.extra,
    }
}

fn turn(message: Message) -> Turn {
    let role = match message.role {
        Role::System => TurnRole::System,
        Role::Developer => TurnRole::Developer,
        Role::User => TurnRole::User,
        Role::Assistant => TurnRole::Assistant,
        Role::Tool => TurnRole::Tool,
    };
    Turn {
        role,
        text: message.content,
        weight: message.weight,
        name: message.name,
        tool_calls: message.tool_calls,
        tool_call_id: message.tool_call_id,
        extra: message.extra,
    }
}
