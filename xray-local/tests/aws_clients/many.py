"""Calls many X-Ray operations with boto3, one after the other, and prints the responses as a list of JSON. Times are
printed as seconds since 1970. An error response is an object with the key `Error`.

many.py URL    reads [[OPERATION, PARAMETERS], ..] from the standard input. A text `$2.Group.GroupARN` in parameters stands
               for that value in the third response.
"""

import datetime
import json
import sys

import boto3
import botocore.exceptions


def seconds(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"the response contains {value!r}, which is not JSON")


def filled(value):
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    if isinstance(value, str) and value.startswith("$"):
        number, *path = value[1:].split(".")
        found = responses[int(number)]
        for key in path:
            found = found[int(key) if key.isdigit() else key]
        return found
    return value


client = boto3.client("xray", endpoint_url=sys.argv[1])
responses = []
for operation, parameters in json.load(sys.stdin):
    try:
        response = getattr(client, operation)(**filled(parameters))
        del response["ResponseMetadata"]
    except botocore.exceptions.ClientError as error:
        response = {key: value for key, value in error.response.items() if key != "ResponseMetadata"}
    responses.append(response)
json.dump(responses, sys.stdout, default=seconds)
