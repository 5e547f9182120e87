"""API Gateway's forms: an HTTP request becomes the event of a function, and its answer an HTTP response.

Takes routes, authorizers and requests, gives events, policies obeyed, and responses; `app` joins them for a server.
Touches nothing but the functions that it is given to invoke.  Never starts a process, never listens.
"""
