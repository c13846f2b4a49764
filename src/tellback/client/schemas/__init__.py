"""Events with schemas: a JSON Schema becomes a function that records its event, checked, in about half the time of
`tellback.event`.

load, document     where a schema comes from, and what it must say
checks, pattern    from a schema to Python code that says what is wrong with a value
quick              from a schema to the function that a host calls
emitter            `schema`, and the careful way for whatever the function does not take itself
allowed            categories: what may be recorded of an event
fallback           jsonschema-rs, for what cannot be compiled
compatibility      what a new version of a schema breaks

Nothing here is imported before `tellback.schema` is used.
"""
