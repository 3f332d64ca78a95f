"""Reading logs: names → files → blocks of lines → the lines with an id → records.

inputs       arguments, globs and directories → files, each once
compression  a file → its plain bytes, by magic numbers
blocks       bytes → blocks of whole lines, in bounded memory
wrapping     what Docker, CRI and kubectl put around a line, and into how many pieces they break it
wanted       the id that is asked for, in all its spellings
search       blocks → the lines that hold it; memory: bytes in a buffer
clock        times in lines and in arguments
window       the part of a time-ordered file that a span of time lies in, by bisection
files        an input → its blocks
entries      a line that was found, unparsed
records      a line → a trace, or a line of the application
census       what there was to search, when nothing was found
tally        what was read, and what was left out
follow       lines that are yet to be written

Nothing here prints, and nothing here is imported before it is needed: finding an id in a gigabyte
takes less than most imports do.
"""
