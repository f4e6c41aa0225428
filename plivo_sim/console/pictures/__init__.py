"""The console's pictures: each module draws one as SVG, from plain data.

Pure; the same data give the same text. Colours are classes of ``static/console.css``; each page
says the same in words.
"""
