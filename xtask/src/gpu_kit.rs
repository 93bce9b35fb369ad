use crate::arguments::Arguments;
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    arguments.finish()
}
