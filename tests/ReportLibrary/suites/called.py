"""A keyword that makes an API call, as keyword libraries make it known."""

from concurrent.futures import ThreadPoolExecutor

from harness.calls import CALLS


def call_the_propagator():
    with CALLS.watched("propagator", "POST", "http://me:pass@127.0.0.1:1/v2/pods?token=1") as call:
        print("sent", call.headers.get("traceparent"))
        call.status = 401
    with ThreadPoolExecutor() as pool:
        pool.submit(call_kubernetes).result()


def call_kubernetes():
    with CALLS.watched("kubernetes", "GET", "https://127.0.0.1:1/api/v1/pods") as call:
        call.status = 200
