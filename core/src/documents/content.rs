//! A record as the page shows and edits it; the way back is the project's.

use crate::{
    protocol::studio::{Content, ContentBody, Turn, TurnRole},
    text::{Body, Encoded, Message, Record, Role},
};

/// What a record says.
pub fn content(record: Record) -> Content {
    let body = match record.body {
        Body::Chat(chat) => ContentBody::Chat {
            turns: chat.messages.into_iter().map(turn).collect(),
            tools: chat.tools,
        },
        Body::Text { prompt, completion } => ContentBody::Text { prompt, completion },
        Body::Tokens(Encoded { input_ids, labels }) => ContentBody::Tokens { input_ids, labels },
    };
    Content {
        body,
        extra: record.extra,
    }
}

pub(crate) fn turn_role(role: Role) -> TurnRole {
    match role {
        Role::System => TurnRole::System,
        Role::Developer => TurnRole::Developer,
        Role::User => TurnRole::User,
        Role::Assistant => TurnRole::Assistant,
        Role::Tool => TurnRole::Tool,
    }
}

fn turn(message: Message) -> Turn {
    let Message {
        role,
        content,
        name,
        weight,
        tool_calls,
        tool_call_id,
        extra,
    } = message;
    Turn {
        role: turn_role(role),
        text: content,
        weight,
        name,
        tool_calls,
        tool_call_id,
        extra,
    }
}
