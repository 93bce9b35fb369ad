//! Markdown as elements. Texts become text nodes and nothing else.

use leptos::prelude::*;

use crate::state::studio::markdown::{self, Element, Node};

/// A text as Markdown shows it.
#[component]
pub(in crate::page::studio) fn Rendered(#[prop(into)] text: String) -> impl IntoView {
    let blocks = match text.len() > markdown::MAX_BYTES {
        true => vec![Node::Text(text)],
        false => markdown::parse(&text),
    };
    view! { <div class="markdown" data-testid="editor-rendered">{nodes(blocks)}</div> }
}

fn nodes(nodes: Vec<Node>) -> Vec<AnyView> {
    nodes.into_iter().map(node).collect()
}

fn node(node: Node) -> AnyView {
    match node {
        Node::Text(text) => text.into_any(),
        Node::Code(text) => view! { <code>{text}</code> }.into_any(),
        Node::Break => view! { <br /> }.into_any(),
        Node::Rule => view! { <hr /> }.into_any(),
        Node::Task(done) => {
            view! { <input type="checkbox" disabled=true prop:checked=done /> }.into_any()
        }
        Node::CodeBlock { language, text } => view! {
            <figure class="code">
                {(!language.is_empty()).then(|| view! { <figcaption>{language}</figcaption> })}
                <pre tabindex="0"><code>{text}</code></pre>
            </figure>
        }
        .into_any(),
        Node::Element(kind, children) => element(kind, nodes(children)),
    }
}

fn element(kind: Element, children: Vec<AnyView>) -> AnyView {
    match kind {
        Element::Paragraph => view! { <p>{children}</p> }.into_any(),
        // The page has headings of its own; these are only looks.
        Element::Heading(level) => view! {
            <p class="heading" data-level=level.to_string()>{children}</p>
        }
        .into_any(),
        Element::Quote => view! { <blockquote>{children}</blockquote> }.into_any(),
        Element::Bullets => view! { <ul>{children}</ul> }.into_any(),
        Element::Numbered(first) => {
            view! { <ol start=first.to_string()>{children}</ol> }.into_any()
        }
        Element::Item => view! { <li>{children}</li> }.into_any(),
        Element::Table => view! {
            <div class="scrolled"><table><tbody>{children}</tbody></table></div>
        }
        .into_any(),
        Element::TableHead => view! { <tr class="head">{children}</tr> }.into_any(),
        Element::TableRow => view! { <tr>{children}</tr> }.into_any(),
        Element::TableCell => view! { <td>{children}</td> }.into_any(),
        Element::Emphasis => view! { <em>{children}</em> }.into_any(),
        Element::Strong => view! { <strong>{children}</strong> }.into_any(),
        Element::Struck => view! { <s>{children}</s> }.into_any(),
        Element::Html => view! { <pre class="html">{children}</pre> }.into_any(),
        Element::Link(address) => {
            let title = address.clone();
            view! {
                <a href=address title=title target="_blank" rel="noopener noreferrer nofollow">
                    {children}
                </a>
            }
            .into_any()
        }
        Element::Plain => view! { <span>{children}</span> }.into_any(),
    }
}
