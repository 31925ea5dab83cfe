"""
Bytes to messages and back, without a socket in sight (sans-I/O).

A L{Wire<netplay.wire.codecs.Wire>} is a framing (where one payload ends and the next begins) times a codec
(how a message is written in a payload). Framings: L{netplay.wire.lines}, L{netplay.wire.jsonstream},
L{netplay.wire.frames}.
"""
