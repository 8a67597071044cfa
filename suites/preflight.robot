*** Settings ***
Documentation     The cluster has what the suites need: rights, nodes, room, storage. All that is missing is said at
...               once, and nothing is created: `robot suites/preflight.robot` looks at a cluster before its first run.

Resource          ../resources/environment.resource

Suite Setup       Reach Cluster
Suite Teardown    Let Cluster Go

Test Tags         e2e    k3s    propagator    preflight


*** Test Cases ***
The Cluster Has What Every Run Needs
    [Documentation]    Fails with all that is missing. What only some tests need is in the table; those tests skip.
    Look At What The Cluster Has
