"""jsonschema-rs, for schemas that cannot be compiled: all of JSON Schema, at a higher cost. Of the extra
`tellback[schemas]`."""

from typing import Any

from tellback.client.schemas.checks import Check
from tellback.client.schemas.document import Document, SchemaError


def checker(document: Document, why: str) -> Check:
    """The check of a whole schema, as of `checks.compiled`. SchemaError without the extra, or when it is no schema.

    Neither looks into `format`, which is an annotation. Nothing is fetched: a `$ref` to elsewhere is an error.
    """
    try:
        import jsonschema_rs
    except ModuleNotFoundError:
        raise SchemaError(
            f"{document.id} version {document.version} cannot be compiled ({why}); checking it otherwise "
            "needs an extra: pip install 'tellback[schemas]'."
        ) from None
    kinds = {"draft-07": jsonschema_rs.Draft7Validator, "2020-12": jsonschema_rs.Draft202012Validator}
    make: Any = kinds.get(document.dialect, jsonschema_rs.validator_for)
    try:
        # `$id` may be a plain word, which is fine as a name and no base for references.
        validator = make(document.body, validate_formats=False, offline=True)
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise SchemaError(f"{document.id} version {document.version} is no schema: {error}.") from None

    def check(value: Any) -> str | None:
        try:
            error = next(iter(validator.iter_errors(value)), None)
        except (ValueError, TypeError):
            return ": holds what is no JSON"
        # The way through the schema, not the one through the value: its parts are the schema's own words.
        return None if error is None else f": not as {'/'.join(map(str, error.schema_path))} says"

    return check


def metaschema_error(document: Document) -> str | None:
    """What the metaschema finds wrong, if jsonschema-rs is here to ask."""
    try:
        import jsonschema_rs
    except ModuleNotFoundError:
        return None
    body = (
        document.body
        if "$schema" in document.body
        else document.body | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )
    try:
        jsonschema_rs.meta.validate(body)
    except jsonschema_rs.ValidationError as error:
        where = "/" + "/".join(map(str, error.instance_path))
        return f"{where}: {error.message}"
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return str(error)
    return None
