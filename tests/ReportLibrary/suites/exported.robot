*** Settings ***
Resource            report.resource
Suite Setup         Bring Up

*** Test Cases ***
Continued
    VAR    &{verdict}    verdict=continued
    Record Verdict    ${verdict}
    Record Measurement    restore    0.5    s

Refused
    Fail    Expected: a token | that is 100% good\nSeen: 401, said <b>${SECRET}</b>\nCause: auth (service)

Skipped
    Skip    no GPU here

*** Keywords ***
Bring Up
    Export Results    history=${{os.environ.get('HISTORY') or None}}
    ...    pushgateway=${{robot.api.types.Secret(os.environ['PUSHGATEWAY']) if 'PUSHGATEWAY' in os.environ else None}}
    Record Environment    provider=sandbox    emulated=true    kubernetes=v1.33.13+emulated    chart=/x/cedana
    VAR    &{node}    name=node-1    runtime=containerd://2.1.9
    VAR    @{nodes}    ${node}
    Record Environment    nodes=${nodes}
