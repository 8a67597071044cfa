*** Settings ***
Documentation     Proves that a pod's process goes on where it stopped: checkpointed and restored through the Cedana
...               propagator's REST API, judged by what the process itself remembers.

Resource          ../resources/environment.resource

Suite Setup       Acquire Environment
Suite Teardown    Release Environment

Test Tags         e2e    k3s    propagator

Name              Cedana Checkpoint And Restore
