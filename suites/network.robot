*** Settings ***
Documentation     The network follows a pod that was restored: Services, names and readiness gates lead to it and no
...               more to the one before it, other pods reach it, and what becomes of an open connection is recorded.

Resource          ../resources/network.resource

Suite Setup       Acquire Environment With A Client And Control Arms    redis    gated    redis
Suite Teardown    Release Environment With A Client And Control Arms
Test Teardown     Remove Workload And Its Connections

Test Tags         e2e    k3s    propagator    checkpoint    restore    network    test:retry(1)


*** Test Cases ***
A Service Follows The Restored Pod
    [Documentation]    Its EndpointSlices have the restored pod and no more the original, and another pod gets the page
    ...    of the web server by the Service's name and by its IP.
    Deploy Workload    web
    Service Should Lead Client To    test-web    8080    ${WORKLOAD}
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Service Should Lead Nowhere    test-web
    Restore Workload
    Workload Should Have Continued    ${before}
    Service Should Lead Client To    test-web    8080    ${RESTORED}
    Clean Up Checkpoint

A Name Follows The Restored Pod
    [Documentation]    Another pod resolves the name of a headless Service to the restored pod's own address.
    Deploy Workload    web
    Name Should Have Address Of    test-web-pods    ${WORKLOAD}
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Name Should Have Address Of    test-web-pods    ${RESTORED}
    Client Should Reach Web Server    test-web    8080
    Clean Up Checkpoint

A TCP Server Is Reached Again From Another Pod
    [Documentation]    Redis goes on counting in memory, and another pod speaks with it by the name of its Service.
    Deploy Workload    redis
    Client Should Reach Redis    test-redis
    ${before}=    Observe Sampled Workload    redis
    Checkpoint Workload
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${before}
    Service Should Lead To    test-redis    ${RESTORED}
    Client Should Reach Redis    test-redis
    Clean Up Checkpoint

A Restored Pod Waits At Its Readiness Gate
    [Documentation]    The restored pod has the original's readiness gate, and is not Ready before it is opened anew.
    Deploy Workload Behind Its Gate    gated
    ${before}=    Observe Workload
    Checkpoint Workload
    Delete Workload
    Restore Workload Behind Its Gate
    Workload Should Have Continued    ${before}
    Service Should Lead To    test-gated    ${RESTORED}
    Clean Up Checkpoint

An Open Connection Outlives The Checkpoint Of Its Server
    [Documentation]    A connection that is held open on purpose goes on with the source; whether it outlives the
    ...    restore is recorded. Where a runtime refuses to dump a process with one, the cause is open-connection.
    [Tags]    open-connection    needs-open-connections
    Deploy Workload    redis
    ${before}=    Observe Sampled Workload    redis
    Hold Connection To Workload    6379
    Checkpoint Workload
    Connection Should Have Outlived The Checkpoint
    Delete Workload
    Restore Workload
    Record What Became Of The Connection
    Workload Should Have Continued    ${before}
    Clean Up Checkpoint

Servers That Are Only Created Again Come Out As Restarted
    [Documentation]    The control arms: the web server and redis, deleted and created again without a restore.
    [Tags]    control    -test:retry(1)
    Control Arm Of Workload Should Have Restarted    test-web
    Control Arm Of Workload Should Have Restarted    test-redis
