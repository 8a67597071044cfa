*** Settings ***
Documentation    A suite that imports RequestsLibrary after the connection was made, and even while it runs.

Library          ../../../libraries/PropagatorLibrary/


*** Variables ***
${TOKEN: Secret}    %{CEDANA_AUTH_TOKEN}
${URL}              ${EMPTY}


*** Test Cases ***
The Session Is Known To A RequestsLibrary That Is Imported Later
    [Documentation]    Its keywords find the alias all the same.
    Connect To Propagator    ${URL}    ${TOKEN}
    Import Library    RequestsLibrary
    ${response}=    GET On Session    propagator    /v2/user
    Should Match Regexp    ${response.text}    ^"[0-9a-f-]{36}"$
