*** Settings ***
Resource            report.resource

*** Test Cases ***
Broken: A Test
    Leave Diagnostics Time
    Connect    %{TEST_KUBECONFIG}
    ${first}=    Collect Diagnostics    e2e
    ${second}=    Collect Diagnostics    e2e
    Should Not Be Equal    ${first}    ${second}
    File Is In    ${first}    pods-of-e2e.txt
    File Is In    ${second}    pods-of-e2e.txt
    Collect Diagnostics    e2e    cluster=no such alias

Without A Cluster
    Disconnect
    Collect Diagnostics    e2e
